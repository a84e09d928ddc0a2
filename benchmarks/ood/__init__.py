"""OOD detection: how well it works on a set, and what it costs."""
