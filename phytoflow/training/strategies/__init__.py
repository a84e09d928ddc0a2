"""What is trained, in which order, and how the result is selected."""
