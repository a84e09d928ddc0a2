"""Training transforms."""
