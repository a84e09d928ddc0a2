"""How much a search may spend, over all its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

CPU_SECONDS, WORKER = "cpu_seconds", "worker"
"""Attributes of a trial: processor time of its training, and the worker that trained it."""
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Budget:
    """Limits of a search; 0 means no limit.

    Attributes:
        trials: Number of trials, those of all workers.
        seconds: Wall-clock time of a worker's trials and of the final comparison.
        cpu_hours: Processor time of all trials.
    """

    trials: int = 0
    seconds: float = 0.0
    cpu_hours: float = 0.0

    def is_spent(self, trials: Sequence[FrozenTrial], worker: str = "", reserve: float = 0.0) -> bool:
        """Whether no further trial may start.

        No trial starts that would exceed a limit of time if it took as long as the mean one so far.

        Args:
            trials: All trials of the study.
            worker: Name of the worker that would start one.
            reserve: Seconds that the final comparison will take.
        """
        ended = [trial for trial in trials if trial.state in _ENDED]
        running = sum(trial.state == TrialState.RUNNING for trial in trials)
        own = [seconds_of(trial) for trial in ended if trial.user_attrs.get(WORKER, "") == worker]
        cpu = [float(trial.user_attrs.get(CPU_SECONDS, 0)) for trial in ended]
        return (
            0 < self.trials <= len(ended) + running
            or 0 < self.seconds < _with_another(own) + reserve * bool(own)
            or 0 < self.cpu_hours * 3600 < _with_another(cpu)
        )


def seconds_of(trial: FrozenTrial) -> float:
    """Wall-clock time of a trial that has ended."""
    return trial.duration.total_seconds() if trial.duration else 0.0


def _with_another(costs: Sequence[float]) -> float:
    """The sum of the costs and of one more that is as high as their mean."""
    return sum(costs) * (1 + 1 / len(costs)) if costs else 0.0


@dataclass(frozen=True)
class Preset:
    """Defaults of a search preset.

    Attributes:
        budget: What the search may spend.
        photos: Training and validation photos of the trials; 0 means all.
    """

    budget: Budget
    photos: int


PRESETS = {
    "quick": Preset(Budget(trials=12, seconds=600), photos=600),
    "full": Preset(Budget(trials=100), photos=0),
}


def choose_budget(preset: str, trials: int | None, seconds: float | None, cpu_hours: float | None) -> Budget:
    """The budget of a preset, with the limits that are given instead of its own.

    Args:
        preset: ``quick`` or ``full``.
        trials: Number of trials; None: the preset's.
        seconds: Wall-clock time; None: the preset's.
        cpu_hours: Processor time; None: the preset's, which has no limit.
    """
    own = PRESETS[preset].budget
    return Budget(
        own.trials if trials is None else trials,
        own.seconds if seconds is None else seconds,
        own.cpu_hours if cpu_hours is None else cpu_hours,
    )
