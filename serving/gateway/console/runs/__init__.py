"""The Runs page: trainings side by side."""
