"""What a client is told when a request cannot be answered: status, reason, never its own payload."""

from __future__ import annotations

from grpc import StatusCode  # type: ignore[import-untyped]
from grpc_interceptor.exceptions import GrpcException

_GRPC = {
    400: StatusCode.INVALID_ARGUMENT,
    404: StatusCode.NOT_FOUND,
    413: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    500: StatusCode.INTERNAL,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.RESOURCE_EXHAUSTED,
}


class RequestError(Exception):
    """A request that gets no answer.

    Attributes:
        status: HTTP status: 400 malformed, 413 too large, 422 a photo that cannot be used, 503 overloaded.
        reason: Short and stable, for the metric's label.
        message: For the client; says which photo and why.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    def grpc(self) -> GrpcException:
        """The same for a gRPC client."""
        return GrpcException(details=self.message, status_code=_GRPC[self.status])


def malformed(message: str) -> RequestError:
    """400: the request does not follow the protocol."""
    return RequestError(400, "malformed", message)


def too_large(message: str) -> RequestError:
    """413: the request or a photo in it is over a limit."""
    return RequestError(413, "too large", message)


def overloaded(message: str) -> RequestError:
    """503: come back in a moment."""
    return RequestError(503, "overloaded", message)
