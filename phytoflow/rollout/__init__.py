"""Compares a challenger with the champion: paired answers and labels in, a decision with its evidence out."""
