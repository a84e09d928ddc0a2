"""Asks the other model for a copy of each answer: after the user has theirs, bounded, first to be dropped."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from phytoflow.rollout.sequential import CRASH, sprt
from phytoflow.rollout.settings import RolloutSettings
from serving.gateway.metrics import COMPARED, COMPARISONS_DROPPED
from serving.gateway.problems import ProblemError
from serving.gateway.upstream.codec import Buffer, PhotoResult
from serving.gateway.upstream.fleet import Fleet, Role, Split
from serving.gateway.upstream.predictor import ModelInfo

_LOG = logging.getLogger(__name__)
_MAX_WAITING = 64  # requests
_MAX_WAITING_BYTES = 64 * 2**20
_MAX_ROWS = 10_000  # that wait for the database
_AT_ONCE = 2  # copies: the challenger's load stays below its users' while it catches up


@dataclass(frozen=True)
class Answered:
    """An answered request that is to be compared.

    Attributes:
        ids: Ids of its predictions.
        photos: Encoded photos.
        results: What the user saw.
        info: The model that answered.
        role: Its role.
        milliseconds: Its time.
        parameters: V2 parameters of the request.
        request_id: Id of the request.
        compare: Whether the other model is to be asked.
    """

    ids: Sequence[str]
    photos: Sequence[Buffer]
    results: Sequence[PhotoResult]
    info: ModelInfo
    role: Role
    milliseconds: float
    parameters: dict[str, Any]
    request_id: str
    compare: bool = True


class Failures:
    """Counts a challenger's failures in this process, by the rules of ``phytoflow.rollout.decide``.

    Args:
        settings: Thresholds.
    """

    def __init__(self, settings: RolloutSettings) -> None:
        self._rates = settings.expected_failures, settings.bad_failures
        self._limit = -math.log(settings.stop_alpha)
        self._asked, self._failed = 0, 0
        self._newest: deque[bool] = deque(maxlen=CRASH.least + CRASH.block)

    def add(self, asked: int, failed: int) -> bool:
        """Adds photos; True if the challenger is to get no more."""
        self._asked, self._failed = self._asked + asked, self._failed + failed
        self._newest.extend([False] * (asked - failed) + [True] * failed)
        newest = CRASH.newest(self._asked)
        recent = sum(list(self._newest)[-newest:])
        late = sprt(recent, newest, *self._rates) - CRASH.cost(self._asked)
        return max(sprt(self._failed, self._asked, *self._rates), late) >= self._limit


class Comparer:
    """Compares answers of one process.

    Args:
        fleet: The predictors.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._waiting: asyncio.Queue[Answered] = asyncio.Queue(_MAX_WAITING)
        self._waiting_bytes = 0
        self._rows: list[dict[str, Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._rollout_id, self._failures = "", Failures(RolloutSettings())

    def start(self) -> None:
        """Begins to compare."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(_AT_ONCE)]

    async def close(self) -> None:
        """Ends; copies that wait are dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def offer(self, answered: Answered) -> None:
        """Compares an answer if there is a rollout and room."""
        if not answered.compare or self._fleet.other(answered.role) is None:
            return
        size = sum(len(photo) for photo in answered.photos)
        if self._waiting.full() or (self._waiting_bytes and self._waiting_bytes + size > _MAX_WAITING_BYTES):
            COMPARISONS_DROPPED.inc()
            return
        self._waiting_bytes += size
        self._waiting.put_nowait(answered)

    def take_rows(self) -> list[dict[str, Any]]:
        """Comparisons that are not in the database yet, as rows of the table; they are handed over."""
        rows, self._rows = self._rows, []
        return rows

    def give_back(self, rows: list[dict[str, Any]]) -> None:
        """Rows that the database did not take."""
        self._rows = (rows + self._rows)[-_MAX_ROWS:]

    def record_failure(self, ids: Sequence[str], results: Sequence[PhotoResult], milliseconds: float) -> None:
        """The challenger failed on photos that the champion answered."""
        if (split := self._fleet.split) is None:
            return
        for id_, result in zip(ids, results, strict=True):
            label = result.labels[0]
            self._add(
                split.rollout_id,
                id_,
                "champion",
                champion_label=label,
                champion_ms=milliseconds,
                failed=True,
            )
        COMPARED.labels("failed").inc(len(ids))
        self._count(split, len(ids), len(ids))

    async def _work(self) -> None:
        while True:
            answered = await self._waiting.get()
            try:
                await self._compare(answered)
            except Exception as error:  # of one copy: none may end the comparisons
                _LOG.warning("a copy was not compared: %s: %s", type(error).__name__, error)
            finally:
                self._waiting_bytes -= sum(len(photo) for photo in answered.photos)

    async def _compare(self, answered: Answered) -> None:
        other, split = self._fleet.other(answered.role), self._fleet.split
        if other is None or split is None:
            return
        started = time.perf_counter()
        try:
            answer, info = await other.infer(answered.photos, answered.parameters, answered.request_id)
        except ProblemError as error:
            # A champion's failure, or a refusal for load, says nothing of the challenger.
            if answered.role == "champion" and error.status >= 500 and error.reason != "predictor_busy":
                self.record_failure(answered.ids, answered.results, answered.milliseconds)
            return
        took = (time.perf_counter() - started) * 1000
        champion_ms, challenger_ms = (
            (answered.milliseconds, took) if answered.role == "champion" else (took, answered.milliseconds)
        )
        for id_, seen, copy in zip(answered.ids, answered.results, answer.photos, strict=True):
            champion, challenger = (seen, copy) if answered.role == "champion" else (copy, seen)
            same = champion.labels[0] == challenger.labels[0]
            COMPARED.labels("agree" if same else "disagree").inc()
            self._add(
                split.rollout_id,
                id_,
                answered.role,
                champion_label=champion.labels[0],
                challenger_label=challenger.labels[0],
                shift=total_variation(seen, answered.info, copy, info),
                champion_ms=champion_ms,
                challenger_ms=challenger_ms,
                slow=challenger_ms >= split.settings.slow_factor * champion_ms,
            )
        self._count(split, len(answered.ids), 0)

    def _add(self, rollout_id: str, prediction_id: str, role: Role, **columns: Any) -> None:
        row = {"challenger_label": "", "shift": 0.0, "champion_ms": 0.0, "challenger_ms": 0.0}
        row |= {"slow": False, "failed": False, "rollout_id": rollout_id, "prediction_id": prediction_id}
        row |= {"created": datetime.now(UTC), "answered_by": role}
        self._rows.append(row | columns)

    def _count(self, split: Split, asked: int, failed: int) -> None:
        """Stops at once in this process if the challenger has crashed; the decision for all follows."""
        if split.rollout_id != self._rollout_id:
            self._rollout_id, self._failures = split.rollout_id, Failures(split.settings)
        if self._failures.add(asked, failed):
            self._fleet.halt()


def total_variation(one: PhotoResult, info: ModelInfo, two: PhotoResult, other: ModelInfo) -> float:
    """Half the summed difference of the probabilities, by class name: 0 for equal, 1 for disjoint answers."""
    first = dict(zip(info.classes, one.probabilities, strict=True))
    second = dict(zip(other.classes, two.probabilities, strict=True))
    names = first.keys() | second.keys()
    return min(sum(abs(first.get(name, 0.0) - second.get(name, 0.0)) for name in names) / 2, 1.0)
