"""Selection of the fastest runtime that agrees with the recorded answers."""
