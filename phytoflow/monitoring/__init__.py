"""Drift: whether the photos of today are those the model was made for, what moved, and what it costs.

Knows no server: numpy and scipy only.
"""
