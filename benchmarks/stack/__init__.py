"""Start, memory and recovery of `phytoflow stack`."""
