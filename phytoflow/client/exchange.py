"""The part of a client that does no I/O: which requests to send, when to send them again, what went wrong.

REST and gRPC, blocking and asyncio clients share it. They add how to send and how to wait.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from phytoflow.client.parameters import InferParameters, Photo, chunk_photos
from phytoflow.client.prediction import Prediction
from phytoflow.client.retry import delays
from phytoflow.errors import ServingError

Request = TypeVar("Request")
Response = TypeVar("Response")


class Wire(ABC, Generic[Request, Response]):
    """A transport: its messages, and what its responses and exceptions mean.

    Attributes:
        exceptions: What sending may raise.
    """

    exceptions: tuple[type[Exception], ...] = ()

    @abstractmethod
    def encode(self, photos: Sequence[Photo], parameters: InferParameters) -> Request:
        """Builds a request; raises OSError if a file cannot be read."""

    @abstractmethod
    def decode(self, response: Response) -> list[Prediction]:
        """Reads a response; raises ServingError if it is not phytoflow's."""

    @abstractmethod
    def retry_after(self, outcome: Response | Exception) -> float | None:
        """Least seconds to wait before sending again; None if that would not help."""

    @abstractmethod
    def error_of(self, outcome: Response | Exception) -> ServingError | None:
        """The error that a response or exception stands for; None for a good response."""


@dataclass(frozen=True)
class Exchange(Generic[Request, Response]):
    """Turns photos into requests and responses into predictions.

    Attributes:
        wire: The transport.
        retries: Further attempts if the predictor is overloaded or the connection is lost.
        max_photos: Photos per request.
    """

    wire: Wire[Request, Response]
    retries: int
    max_photos: int

    def requests(self, photos: Sequence[Photo], parameters: InferParameters) -> Iterator[Request]:
        """As many requests as the photos need, in order; files are read one request at a time."""
        for chunk in chunk_photos(photos, parameters.photos_per_request(self.max_photos)):
            yield self.wire.encode(chunk, parameters)

    def attempts(self) -> Attempts[Response]:
        """The attempts of one request."""
        return Attempts(self.wire, self.retries)


class Attempts(Generic[Response]):
    """Attempts to send one request, with exponential backoff in between."""

    def __init__(self, wire: Wire[Request, Response], retries: int) -> None:
        self._wire = wire
        self._delays = delays(retries)

    def delay_after(self, outcome: Response | Exception) -> float | None:
        """Seconds to wait before the next attempt; None if the outcome is a good response.

        Raises:
            RefusedError: The predictor refused, and another attempt would not help or was the last.
            ServingError: It cannot be reached.
        """
        error = self._wire.error_of(outcome)
        if error is None:
            return None
        least = self._wire.retry_after(outcome)
        delay = None if least is None else next(self._delays, None)
        if least is None or delay is None:
            raise error from (outcome if isinstance(outcome, Exception) else None)
        return max(delay, least)
