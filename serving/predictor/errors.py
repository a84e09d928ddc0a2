"""Errors that a request can end with: HTTP status, gRPC status, reason and message."""

from __future__ import annotations

from grpc import StatusCode  # type: ignore[import-untyped]

_GRPC = {
    400: StatusCode.INVALID_ARGUMENT,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.ABORTED,
    413: StatusCode.INVALID_ARGUMENT,
    415: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    499: StatusCode.CANCELLED,
    500: StatusCode.INTERNAL,
    503: StatusCode.RESOURCE_EXHAUSTED,
}

NOT_LOADED = "model_not_loaded"


class RequestError(Exception):
    """A request that ends without a prediction.

    Attributes:
        status: HTTP status.
        reason: Snake-case category from a fixed set (docs/metrics.md); it becomes a metric label.
        message: Text for the client. It names the photo or field and never quotes the payload.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def grpc_status(self) -> StatusCode:
        """The gRPC status with the same meaning."""
        return StatusCode.UNAVAILABLE if self.reason == NOT_LOADED else _GRPC[self.status]


def malformed(message: str) -> RequestError:
    """400: the request does not follow the protocol."""
    return RequestError(400, "malformed", message)


def too_large(message: str) -> RequestError:
    """413: the request or one of its photos exceeds a limit."""
    return RequestError(413, "too_large", message)


def unsupported_encoding(message: str) -> RequestError:
    """415: the body has a Content-Encoding that the predictor cannot decode."""
    return RequestError(415, "unsupported_encoding", message)


def client_disconnected() -> RequestError:
    """499: the client disconnected before it got its response."""
    return RequestError(499, "client_disconnected", "the client disconnected")


def overloaded(message: str) -> RequestError:
    """503: the client should retry later."""
    return RequestError(503, "overloaded", message)


def internal() -> RequestError:
    """500: a fault of the predictor."""
    return RequestError(500, "internal", "the predictor failed; see its log")
