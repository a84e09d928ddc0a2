"""What the gateway adds to the predictor's answers."""
