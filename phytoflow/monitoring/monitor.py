"""The monitor: takes photos in order, keeps a small state, and says at any time what it makes of them."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.monitoring.accuracy import AccuracyEstimate, estimate_accuracy
from phytoflow.monitoring.attribution import Attribution, attribute
from phytoflow.monitoring.bets import place_bets
from phytoflow.monitoring.grades import Grade, grade
from phytoflow.monitoring.martingale import ALARM, LEVEL, Wealth, play
from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

RECENT = 500
"""Photos kept in the state: those that an alarm is explained and graded by."""
_OVER = 1.0  # wealth below which an alarm is over: what was won is lost again


@dataclass(frozen=True)
class MonitorState:
    """Everything the monitor remembers; a few hundred kilobytes at most.

    Attributes:
        wealth: State of the test.
        recent: The last photos, at most ``RECENT``.
        names: Their ids; empty for photos that were removed.
        alarm_at: Number of the photo that raised the alarm, counted from 1; 0: there is none.
    """

    wealth: Wealth
    recent: Observations
    names: tuple[str, ...]
    alarm_at: int = 0

    def dump(self) -> bytes:
        """The state as bytes, for a database; the same state gives the same bytes."""
        buffer = io.BytesIO()
        arrays = {field.name: getattr(self.recent, field.name) for field in fields(self.recent)}
        np.savez(
            buffer,
            playing=self.wealth.playing,
            numbers=np.array([self.wealth.photos, self.alarm_at], np.int64),
            names=np.array(self.names, np.str_),
            **arrays,
        )
        return buffer.getvalue()

    def forget(self, names: Collection[str]) -> MonitorState:
        """The state without these ids; the photos' measurements stay."""
        return replace(self, names=tuple("" if name in names else name for name in self.names))

    @classmethod
    def load(cls, content: bytes) -> MonitorState:
        """Reads what ``dump`` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            photos, alarm_at = (int(number) for number in arrays["numbers"])
            recent = Observations(*(arrays[field.name] for field in fields(Observations)))
            return cls(Wealth(photos, arrays["playing"]), recent, tuple(map(str, arrays["names"])), alarm_at)


class Assessment(BaseModel):
    """What the monitor makes of the photos so far.

    Attributes:
        photos: Number of photos.
        wealth: Wealth of the test; at 200 there is an alarm.
        alarm_at: Number of the photo that raised the present alarm; 0: there is none.
        changed_at: Number of the photo with which the change most probably began; 0 without an alarm.
        grade: What the alarm means.
        evidence: Share of the wealth by what it was won with, largest first.
        accuracy: Estimated accuracy since the change, or of the last photos.
        attribution: What moved since the change; None without an alarm.
        strangest: Ids of the photos that resemble the reference least.
    """

    model_config = ConfigDict(frozen=True)

    photos: int
    wealth: float
    alarm_at: int
    changed_at: int
    grade: Grade
    evidence: dict[str, float]
    accuracy: AccuracyEstimate
    attribution: Attribution | None
    strangest: tuple[str, ...]

    def forget(self, names: Collection[str]) -> Assessment:
        """The assessment without these ids."""
        return self.model_copy(update={"strangest": tuple(n for n in self.strangest if n not in names)})


class Monitor:
    """Compares photos with a reference, one after the other.

    Args:
        reference: Photos that the model never saw.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.bets = place_bets(reference, LEVEL)

    def start(self) -> MonitorState:
        """The state before the first photo."""
        return MonitorState(Wealth.start(self.bets), self.reference.observations.select(slice(0, 0)), ())

    def fits(self, state: MonitorState) -> bool:
        """Whether a stored state belongs to this reference; another version's may have other bets."""
        components = self.reference.observations.components.shape[1]
        return (
            state.wealth.playing.shape == self.bets.win.shape
            and state.recent.components.shape[1] == components
        )

    def advance(
        self, state: MonitorState, photos: Observations, names: Sequence[str]
    ) -> tuple[MonitorState, NDArray[np.float64]]:
        """Takes further photos, in order.

        Returns:
            The new state, and the wealth after each photo, float64 [N].
        """
        wealth, totals = play(self.bets, state.wealth, photos)
        recent = Observations.concatenate([state.recent, photos]).select(slice(-RECENT, None))
        alarm_at = _alarm(state.alarm_at, state.wealth.photos, totals)
        both = (*state.names, *names)[-RECENT:]
        return replace(state, wealth=wealth, recent=recent, names=both, alarm_at=alarm_at), totals

    def assess(self, state: MonitorState, right: NDArray[np.bool_] | None = None) -> Assessment:
        """Says what the photos so far amount to.

        Args:
            state: After these photos.
            right: bool [L], for labelled photos since the change whether the model had them right.
        """
        start = self._change(state) if state.alarm_at else 0
        since = state.recent.select(slice(start, None))
        estimate = estimate_accuracy(self.reference, since, right)
        moved = attribute(self.reference, since) if state.alarm_at else None
        first = state.wealth.photos - len(state.recent) + start + 1
        return Assessment(
            photos=state.wealth.photos,
            wealth=state.wealth.total(self.bets),
            alarm_at=state.alarm_at,
            changed_at=first if state.alarm_at else 0,
            grade=grade(bool(state.alarm_at), estimate),
            evidence=state.wealth.shares(self.bets),
            accuracy=estimate,
            attribution=moved,
            strangest=tuple(filter(None, (state.names[start + i] for i in moved.strangest))) if moved else (),
        )

    def _change(self, state: MonitorState) -> int:
        """Index in ``recent`` from which on the best bet has won most: the likeliest moment of change."""
        event, alternative = state.wealth.best(self.bets)
        factors = np.log(self.bets.factors(state.recent)[:, event, alternative])
        return int(factors[::-1].cumsum()[::-1].argmax())


def _alarm(alarm_at: int, before: int, totals: NDArray[np.float64]) -> int:
    """Number of the photo that raised the alarm that stands after these photos; 0: none stands."""
    for index in np.flatnonzero((totals >= ALARM) | (totals < _OVER)):
        if not alarm_at and totals[index] >= ALARM:
            alarm_at = before + int(index) + 1
        elif totals[index] < _OVER:
            alarm_at = 0
    return alarm_at
