"""Commands that watch a service and its experiments, and renew its model."""
