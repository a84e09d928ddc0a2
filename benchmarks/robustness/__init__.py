"""What the field preset saves of the accuracy that bad photos cost."""
