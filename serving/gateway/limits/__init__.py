"""How much each user may ask."""
