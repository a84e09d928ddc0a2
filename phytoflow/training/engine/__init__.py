"""What runs one fit: the Lightning module, its batches and checkpoints, and the device."""
