"""Transport-neutral request, outputs, response and metadata."""
