"""A typed client for the predictor's V2 protocol; ``phytoflow.client.rpc`` has the same over gRPC."""

from phytoflow.client.answers import Answer, RefusedError
from phytoflow.client.rest import AsyncClient, Client

__all__ = ["Answer", "AsyncClient", "Client", "RefusedError"]
