"""Training that the train step has other processes do, on this machine or on a cluster."""
