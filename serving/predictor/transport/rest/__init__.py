"""REST: V2 and V1 over HTTP."""
