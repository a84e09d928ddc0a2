"""Metrics computed from labels and probabilities."""
