"""V2 over gRPC: its requests, and what responses and exceptions mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc  # type: ignore[import-untyped]

from phytoflow.client.exchange import Wire
from phytoflow.client.grpc_codec import decode, encode
from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction, RefusedError
from phytoflow.errors import ConfigError, ServingError
from phytoflow.protocol.proxies import grpc_proxy_of, is_direct

_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# The predictor limits messages; gRPC's own limit of 4 MB is below a few photos.
_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class GrpcWire(Wire[Any, Any]):
    """V2 over gRPC; see ``exchange.Wire``.

    Args:
        target: Host and port; ``http://`` or ``grpc://`` before it is ignored.
        model: Name of the served model.

    Raises:
        ConfigError: The target asks for TLS, which these clients do not speak, or names no port.
    """

    exceptions = (grpc.RpcError,)

    def __init__(self, target: str, model: str) -> None:
        scheme, _, rest = target.rpartition("://")
        self.target, self.model = rest.rstrip("/"), model
        host, _, port = self.target.rpartition(":")
        if scheme not in ("", "http", "grpc") or not host or not port.isdecimal():
            remedy = "e.g. localhost:8081; through TLS, use the REST client with https://"
            raise ConfigError(f"{target!r} is no host and port of a predictor without TLS", remedy=remedy)
        self.options = [*_OPTIONS, ("grpc.enable_http_proxy", int(not is_direct(host)))]
        self._proxy = grpc_proxy_of(host)

    def encode(self, photos: Sequence[Photo], parameters: InferParameters) -> Any:
        """Builds the request."""
        return encode(self.model, photos, parameters)

    def decode(self, response: Any) -> list[Prediction]:
        """Reads the response."""
        return decode(response)

    def retry_after(self, outcome: Any) -> float | None:
        """Lost connections and overload are worth another attempt."""
        return 0.0 if outcome.code() in _RETRIED else None

    def error_of(self, outcome: Any) -> ServingError | None:
        """A refusal of the predictor, or a connection that failed."""
        if not isinstance(outcome, grpc.RpcError):
            return None
        code, details = outcome.code(), outcome.details()
        if code not in _UNREACHABLE:
            reason = code.name.lower().replace("_", " ")
            return RefusedError(f"{self.target} refused: {details}", status=0, reason=reason)
        remedy = "check host and port, and that the predictor runs"
        if self._proxy:
            details = f"{details} (through the proxy {self._proxy})"
            host = self.target.rpartition(":")[0]
            remedy = f"if the proxy cannot reach it, add {host} to no_proxy; else {remedy}"
        return ServingError(f"{self.target} cannot be reached: {details}", remedy=remedy)
