"""The synthetic sample dataset."""
