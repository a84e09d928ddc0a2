"""Typed clients of the predictor's V2 protocol over REST. Those over gRPC are in ``grpc_client``."""

from phytoflow.client.prediction import Prediction, RefusedError
from phytoflow.client.rest_client import AsyncClient, Client

__all__ = ["AsyncClient", "Client", "Prediction", "RefusedError"]
