"""What client and server share of the Open Inference Protocol."""
