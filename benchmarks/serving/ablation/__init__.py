"""What each piece of the predictor's scheduling brings."""
