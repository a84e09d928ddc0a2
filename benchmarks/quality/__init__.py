"""Quality and duration of default runs."""
