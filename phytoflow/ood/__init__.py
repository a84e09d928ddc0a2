"""Is this anything the model was trained on? Statistics of features, and scores of strangeness."""
