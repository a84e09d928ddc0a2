"""What the outdoor preset saves of the accuracy that bad photos cost."""
