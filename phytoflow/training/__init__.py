"""The two-stage loop and its schedules."""
