"""Tasks and what every queue promises about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from serving.gateway.problems import ProblemError

State = Literal["queued", "running", "done", "failed", "expired"]


@dataclass(frozen=True)
class Task:
    """An asynchronous prediction.

    Attributes:
        id: Id of the task and of its prediction: a second attempt is remembered once.
        user_id: Whose it is.
        state: Where it stands.
        created: When it was accepted.
        request: The user's name and scopes, the options, the file name, and the webhook's URL.
        photo: The photo; empty once the task is done.
        result: The answer or the problem document; None while it is not done.
        attempts: How often a worker has begun it.
    """

    id: str
    user_id: str
    state: State
    created: datetime
    request: dict[str, Any]
    photo: bytes = b""
    result: dict[str, Any] | None = None
    attempts: int = 0
    receipt: str = field(default="", compare=False)


@dataclass(frozen=True)
class Depth:
    """How much waits.

    Attributes:
        waiting: Tasks that no worker has begun.
        oldest_seconds: Age of the oldest of them; 0 if there is none.
    """

    waiting: int
    oldest_seconds: float


class TaskQueue(Protocol):
    """A queue of tasks that any replica can read.

    A task that was accepted is kept until its result is stored. A task whose worker falls silent is given to
    another one. A result is stored once: of two workers the first one wins.
    """

    async def open(self) -> None:
        """Connects."""

    async def close(self) -> None:
        """Disconnects."""

    async def put(self, task: Task) -> None:
        """Accepts a task; raises ProblemError 503 if too many wait or the queue cannot be reached."""

    async def get(self, task_id: str) -> Task | None:
        """A task without its photo; None if there is none of that id."""

    async def claim(self, seconds: float) -> Task | None:
        """Gives this worker a task, waiting for one for at most the given seconds."""

    async def extend(self, task: Task) -> None:
        """Says that the worker of a task is alive."""

    async def finish(self, task: Task, state: Literal["done", "failed"], result: dict[str, Any]) -> bool:
        """Stores a result, then forgets the photo; False if another worker was first."""

    async def depth(self) -> Depth:
        """How much waits."""

    async def sweep(self) -> None:
        """Forgets results that have expired."""

    async def erase(self, user_id: str) -> None:
        """Removes every task of a user."""


def queue_full(limit: int) -> ProblemError:
    """Too many tasks wait."""
    return ProblemError(
        503,
        "queue_full",
        f"{limit} tasks are waiting already",
        remedy="try again after Retry-After",
        headers={"Retry-After": "10"},
    )


def queue_away(error: Exception) -> ProblemError:
    """The queue cannot be reached."""
    return ProblemError(
        503,
        "queue_unreachable",
        f"the task queue cannot be reached ({type(error).__name__})",
        remedy="try again after Retry-After, or use /v1/predict",
        headers={"Retry-After": "5"},
    )
