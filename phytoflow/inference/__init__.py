"""Bytes to probabilities; knows no protocol."""
