"""Comparison of two models on the same photos."""
