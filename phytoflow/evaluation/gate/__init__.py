"""The publishing gate."""
