"""A typed client for the predictor's V2 protocol; ``phytoflow.client.grpc_client`` has the same over gRPC."""

from phytoflow.client.prediction import Answer, RefusedError
from phytoflow.client.rest_client import AsyncClient, Client

__all__ = ["Answer", "AsyncClient", "Client", "RefusedError"]
