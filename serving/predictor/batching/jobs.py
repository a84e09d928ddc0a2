"""Queue items, their results, and how results reach the event loop."""

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


class PhotoResult(NamedTuple):
    """The result for one photo.

    Attributes:
        batch: Predictions for the batch that it was run in.
        row: The photo's row in these predictions.
        seconds: Its share of the time that its worker spent on the batch.
    """

    batch: Predictions
    row: int
    seconds: float


Outcome = PhotoResult | PhotoError
PhotoInput = Photo | View
_Prepared = TypeVar("_Prepared")


class BatchTask(Protocol[_Prepared]):
    """What workers do with photos; called from all worker threads."""

    def prepare(self, photos: Sequence[PhotoInput]) -> _Prepared:
        """Decodes and preprocesses photos; holds the GIL for part of the time."""

    def run(self, prepared: _Prepared, exclusive: bool) -> list[Outcome]:
        """Runs prepared photos and returns an outcome for each.

        Args:
            prepared: What ``prepare`` returned.
            exclusive: Whether no other batch is running or queued.
        """


@dataclass(eq=False)
class Job:
    """A queued photo.

    Attributes:
        photo: The photo.
        future: Gets its outcome.
        created: When it was queued, by ``time.perf_counter``.
        loop_thread: Native id of the thread of the future's event loop.
    """

    photo: PhotoInput
    future: asyncio.Future[Outcome]
    created: float = field(default_factory=time.perf_counter)
    loop_thread: int = field(default_factory=threading.get_native_id)


def observe_wait(jobs: Sequence[Job]) -> None:
    """Records how long jobs were queued."""
    now = time.perf_counter()
    for job in jobs:
        QUEUE_SECONDS.observe(now - job.created)


class BatchOutcome:
    """The outcomes of a batch, delivered to the event loop once.

    Args:
        jobs: The batch.
        outcomes: An outcome for each job, or the exception that its request ends with.
    """

    def __init__(self, jobs: Sequence[Job] = (), outcomes: Sequence[Outcome | Exception] = ()) -> None:
        self._jobs, self._outcomes = jobs, outcomes

    def __len__(self) -> int:
        """Number of jobs that have not been delivered."""
        return len(self._jobs)

    @property
    def loop_thread(self) -> int:
        """Native id of the event loop's thread; only while there are jobs."""
        return self._jobs[0].loop_thread

    def deliver(self) -> None:
        """Hands the outcomes to the event loop; does nothing the second time."""
        jobs, outcomes, self._jobs, self._outcomes = self._jobs, self._outcomes, (), ()
        # A closed loop means that the server is gone, and with it its clients.
        if jobs and not (loop := jobs[0].future.get_loop()).is_closed():
            loop.call_soon_threadsafe(resolve, jobs, outcomes)


def resolve(jobs: Sequence[Job], outcomes: Sequence[Outcome | Exception]) -> None:
    """Sets the futures, in the event loop; a ``PhotoError`` is a result, other exceptions are raised."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if isinstance(outcome, Exception) and not isinstance(outcome, PhotoError):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
