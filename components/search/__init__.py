"""Steps of a search: several workers share the trials of one study."""
