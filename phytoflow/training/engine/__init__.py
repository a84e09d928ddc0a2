"""Lightning plumbing: module, fit loop, batches, checkpoints, device."""
