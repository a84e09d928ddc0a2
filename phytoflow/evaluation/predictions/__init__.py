"""Predictions of the exported model for every photo."""
