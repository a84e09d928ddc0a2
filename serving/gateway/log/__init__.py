"""What is remembered: the prediction log, its database and the photos."""
