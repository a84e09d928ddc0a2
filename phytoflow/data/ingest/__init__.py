"""Scan, validate, deduplicate, group and split."""
