"""Evaluation on an external test set."""
