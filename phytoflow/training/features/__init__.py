"""Frozen features: extracted once and cached on disk."""
