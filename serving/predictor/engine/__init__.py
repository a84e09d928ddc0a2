"""A loaded model version and its life cycle."""
