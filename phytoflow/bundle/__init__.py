"""The bundle: what training hands to serving."""
