"""The micro-batcher: queue, batch sizes and workers."""
