"""Which step follows which: compile, run here, submit."""
