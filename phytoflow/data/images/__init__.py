"""Decoding and preprocessing: all that serving needs of data."""
