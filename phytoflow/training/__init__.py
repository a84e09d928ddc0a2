"""Training: strategies, features and the engine below them."""
