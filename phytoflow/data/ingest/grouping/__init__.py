"""Which photos show the same thing."""
