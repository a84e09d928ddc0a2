"""The predictor against what a user would pick instead."""
