"""Servers a user would write with each framework; every file runs alone, in its framework's environment."""
