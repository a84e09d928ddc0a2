"""REST and gRPC."""
