"""Inference: photo bytes to probabilities, without knowledge of any protocol."""
