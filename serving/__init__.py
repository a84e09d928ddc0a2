"""Servers that answer with a bundle."""
