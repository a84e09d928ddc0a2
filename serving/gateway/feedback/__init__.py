"""Corrections by users and their review."""
