"""A photo on its way through the lanes: what waits, what becomes of it, and how who asked hears of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from phytoflow.errors import PhotoError
from phytoflow.inference.predictions import Predictions
from serving.predictor.inputs.types import Photo
from serving.predictor.inputs.views import View
from serving.predictor.observability.metrics import QUEUE_SECONDS


class Row(NamedTuple):
    """One photo's answer.

    Attributes:
        found: Predictions of a batch.
        at: The photo's place in it.
        seconds: Time in the lane, its share of the batch.
    """

    found: Predictions
    at: int
    seconds: float


Outcome = Row | PhotoError
Asked = Photo | View
_P = TypeVar("_P")


class Work(Protocol[_P]):
    """What lanes do with photos."""

    def prepare(self, photos: Sequence[Asked]) -> _P:
        """Bytes to tensors, for which Python's lock is needed again and again."""

    def run(self, prepared: _P, exclusive: bool) -> list[Outcome]:
        """An outcome each, in their order; ``exclusive``: nothing else is run or waits."""


@dataclass(eq=False)
class Job:
    """A photo that waits.

    Attributes:
        photo: What is asked.
        future: Who asked waits for it.
        since: When it came, by ``time.perf_counter``.
        thread: Where the event loop runs that hears of it.
    """

    photo: Asked
    future: asyncio.Future[Outcome]
    since: float = field(default_factory=time.perf_counter)
    thread: int = field(default_factory=threading.get_native_id)


def started(jobs: list[Job]) -> list[Job]:
    """Notes how long they have waited."""
    now = time.perf_counter()
    for job in jobs:
        QUEUE_SECONDS.observe(now - job.since)
    return jobs


def resolve(jobs: Sequence[Job], outcomes: Sequence[Outcome | Exception]) -> None:
    """Runs in the event loop. A photo's fault is an answer; anything else is raised to who asked."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if isinstance(outcome, Exception) and not isinstance(outcome, PhotoError):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
