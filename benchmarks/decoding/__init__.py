"""What decoding a photo costs: time and memory."""
