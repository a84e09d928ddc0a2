"""A typed client for the predictor's V2 protocol."""
