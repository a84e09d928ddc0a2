"""Accuracy under corruptions and on other backgrounds."""
