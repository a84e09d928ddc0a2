"""A whole rollout, from a bundle to the champion: on a stack of this machine, or on a cluster."""
