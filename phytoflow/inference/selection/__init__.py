"""Selection of the fastest runtime that agrees with the bundle's probe photos."""
