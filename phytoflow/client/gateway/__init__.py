"""Clients of the gateway's API: ``GatewayClient`` blocks, ``AsyncGatewayClient`` is for asyncio."""

from phytoflow.client.gateway.answers import GatewayPrediction, Quota, StoredPrediction, Task
from phytoflow.client.gateway.async_client import AsyncGatewayClient
from phytoflow.client.gateway.client import GatewayClient
from phytoflow.client.gateway.errors import GatewayError

__all__ = [
    "AsyncGatewayClient",
    "GatewayClient",
    "GatewayError",
    "GatewayPrediction",
    "Quota",
    "StoredPrediction",
    "Task",
]
