"""How good the default run is, and how long it takes."""
