"""Publishing on this machine: the predictor as a process that outlives its publisher."""
