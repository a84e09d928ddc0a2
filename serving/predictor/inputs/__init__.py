"""Request tensors to photos."""
