"""Runtime, precision and test-time augmentation variants, side by side."""
