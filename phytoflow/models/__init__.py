"""Backbones and heads, pretrained weights, and the model bundle."""
