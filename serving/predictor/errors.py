"""What a client is told when a request cannot be answered: status, reason, never its own payload."""

from __future__ import annotations

from grpc import StatusCode  # type: ignore[import-untyped]

_GRPC = {
    400: StatusCode.INVALID_ARGUMENT,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.ABORTED,
    413: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    500: StatusCode.INTERNAL,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.RESOURCE_EXHAUSTED,
}

NOT_LOADED = "model_not_loaded"


class RequestError(Exception):
    """A request that gets no answer.

    Attributes:
        status: HTTP status: 400 malformed, 403 not allowed, 404 no such model, 409 a change is under way,
            413 too large, 422 a photo or a version that cannot be used, 503 overloaded or none loaded.
        reason: Short and stable, for the metric's label.
        message: For the client; says which photo and why.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def grpc_status(self) -> StatusCode:
        """The same for a gRPC client."""
        return StatusCode.UNAVAILABLE if self.reason == NOT_LOADED else _GRPC[self.status]


def malformed(message: str) -> RequestError:
    """400: the request does not follow the protocol."""
    return RequestError(400, "malformed", message)


def too_large(message: str) -> RequestError:
    """413: the request or a photo in it is over a limit."""
    return RequestError(413, "too_large", message)


def client_disconnected() -> RequestError:
    """499: the client disconnected before the answer; nobody reads this one."""
    return RequestError(499, "client_disconnected", "the client disconnected")


def overloaded(message: str) -> RequestError:
    """503: come back in a moment."""
    return RequestError(503, "overloaded", message)


def internal() -> RequestError:
    """500: a fault of the predictor's own."""
    return RequestError(500, "internal", "the predictor failed; see its log")
