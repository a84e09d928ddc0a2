"""Checks the shape of the repository: ``python -m scripts.house``."""
