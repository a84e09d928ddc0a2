"""Frozen features: computed once for each view of each photo, and cached on disk."""
