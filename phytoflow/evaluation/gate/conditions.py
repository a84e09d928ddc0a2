"""The publishing gate: evaluates each condition and reports its value, its limit and whether it passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.results import Metrics

if TYPE_CHECKING:
    from phytoflow.evaluation.gate.champion import ChampionComparison


class Condition(BaseModel):
    """One condition of the gate.

    Attributes:
        name: Stable name, e.g. ``accuracy``.
        value: The measured value; None if there was nothing to measure.
        limit: The limit it is compared with.
        passed: Whether the condition holds.
        text: All of that in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float | None
    limit: float
    passed: bool
    text: str


class Verdict(BaseModel):
    """The gate's decision."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conditions: tuple[Condition, ...]

    @property
    def passed(self) -> bool:
        """Whether every condition holds."""
        return all(condition.passed for condition in self.conditions)

    @property
    def reason(self) -> str:
        """The conditions that do not hold, in words; empty if all do."""
        return "; ".join(condition.text for condition in self.conditions if not condition.passed)

    def markdown(self) -> str:
        """The decision and each condition, as a page."""
        lines = ["# The gate passed" if self.passed else "# The gate failed: not published", ""]
        lines += [f"- {'✅' if c.passed else '❌'} {c.text}" for c in self.conditions]
        return "\n".join(lines) + "\n"


def judge(metrics: Metrics, settings: GateSettings, champion: ChampionComparison | None = None) -> Verdict:
    """Compares the metrics with their limits, and the model with the champion.

    Args:
        metrics: Metrics of the challenger.
        settings: The limits.
        champion: Comparison with the champion on the same photos; None if there is no champion.
    """
    conditions = [
        _at_least("accuracy", "accuracy", metrics, settings.min_accuracy),
        _at_least("macro_f1", "macro-F1", metrics, settings.min_macro_f1),
        _latency(metrics, settings.max_latency_ms),
    ]
    if settings.compare_champion:
        conditions.append(_not_worse_than(champion))
    return Verdict(conditions=tuple(conditions))


def _at_least(name: str, title: str, metrics: Metrics, limit: float) -> Condition:
    value, (low, high) = float(getattr(metrics, name)), metrics.intervals[name]
    passed = value >= limit  # false for nan, too
    shown, shown_limit = format_apart(value, limit, 3)
    interval = f"{metrics.confidence_level:.0%} interval {low:.3f} to {high:.3f}"
    text = f"{title} {shown} ({interval}) is {'at least' if passed else 'below'} {shown_limit}"
    return Condition(name=name, value=value, limit=limit, passed=passed, text=text)


def _latency(metrics: Metrics, limit: float) -> Condition:
    """Judges CPU time, which does not depend on what else the machine does; see ``metrics.latency``."""
    on_cpu = metrics.cpu_latency_ms is not None
    value = metrics.cpu_latency_ms if metrics.cpu_latency_ms is not None else metrics.median_latency_ms
    passed = value <= limit
    shown, shown_limit = format_apart(value, limit, 1)
    how = "CPU time on one core" if on_cpu else "median wall-clock time"
    text = (
        f"latency {shown} ms per photo ({how}, decoding included) is {'at most' if passed else 'above'} "
        f"{shown_limit} ms"
    )
    return Condition(name="latency_ms", value=value, limit=limit, passed=passed, text=text)


def _not_worse_than(champion: ChampionComparison | None) -> Condition:
    paired = champion.paired if champion else None
    return Condition(
        name="champion",
        value=paired.difference if paired else None,
        limit=0.0,
        passed=champion is None or not champion.worse,
        text=_describe_champion(champion),
    )


def _describe_champion(champion: ChampionComparison | None) -> str:
    if champion is None:
        return "there is no champion to compare with yet"
    name = f"the champion (version {champion.version})"
    if champion.identical:
        return f"this is the same model as {name}"
    left_out = _describe_left_out(champion)
    if (paired := champion.paired) is None:
        return f"not compared with {name}: no test photo is left{left_out}"
    low, high = paired.interval
    return (
        f"{'' if champion.worse else 'not '}significantly worse than {name}: accuracy {paired.second:.3f} "
        f"against {paired.first:.3f} on the same {paired.photos} photos, difference "
        f"{paired.difference:+.3f} ({paired.confidence_level:.0%} interval {low:+.3f} to {high:+.3f}), "
        f"alone right on {paired.only_second} against {paired.only_first} photos (McNemar p = "
        f"{paired.p_value:.3g}); it fails only if the whole interval is below 0 and p is below "
        f"{1 - paired.confidence_level:.2g}{left_out}"
    )


def _describe_left_out(champion: ChampionComparison) -> str:
    parts = []
    if champion.seen:
        parts.append(f"{champion.seen} photos left out that it was trained on, or others of the same group")
    if champion.foreign:
        parts.append(f"{champion.foreign} photos left out whose class it does not have")
    return f"; {', '.join(parts)}" if parts else ""


def format_apart(value: float, limit: float, digits: int) -> tuple[str, str]:
    """Formats two numbers with as many digits as it takes to see that they differ.

    Otherwise a refusal could read "0.800 is below 0.800".

    Args:
        value: A number.
        limit: Another.
        digits: Minimum number of digits after the point.
    """
    while digits < 12 and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{value:.{digits}f}", f"{limit:.{digits}f}"
