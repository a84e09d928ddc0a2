"""gRPC: V2."""
