"""Photos: scan, validate, group, split, shard, transform, load."""
