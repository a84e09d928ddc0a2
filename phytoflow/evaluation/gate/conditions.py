"""Good enough to publish? Each condition is said with its figure and its limit, passed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.results import Metrics

if TYPE_CHECKING:
    from phytoflow.evaluation.compare.paired import Comparison


class Condition(BaseModel):
    """One thing a model must show.

    Attributes:
        name: Stable name, e.g. ``accuracy``.
        value: The figure; None where there was nothing to measure.
        limit: What it is held against.
        passed: Whether it holds.
        text: All of that in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float | None
    limit: float
    passed: bool
    text: str


class Verdict(BaseModel):
    """What the gate says."""

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
        """The verdict and each condition, as a page."""
        lines = ["# Passed: fit to publish" if self.passed else "# Not passed: will not be published", ""]
        lines += [f"- {'✅' if c.passed else '❌'} {c.text}" for c in self.conditions]
        return "\n".join(lines) + "\n"


def judge(metrics: Metrics, settings: GateSettings, comparison: Comparison | None = None) -> Verdict:
    """Holds the figures against their limits, and the model against the champion.

    Args:
        metrics: Of the challenger.
        settings: The limits.
        comparison: With the champion on the same photos; None if there is no champion.
    """
    conditions = [
        _at_least("accuracy", "accuracy", metrics, settings.min_accuracy),
        _at_least("macro_f1", "macro-F1", metrics, settings.min_macro_f1),
        _latency(metrics.mean_latency_ms, settings.max_latency_ms),
    ]
    if settings.compare_champion:
        conditions.append(_champion(comparison))
    return Verdict(conditions=tuple(conditions))


def _at_least(name: str, words: str, metrics: Metrics, limit: float) -> Condition:
    value, (low, high) = float(getattr(metrics, name)), metrics.intervals[name]
    passed = value >= limit  # false for nan too
    interval = f"{metrics.confidence:.0%} interval {low:.3f} to {high:.3f}"
    text = f"{words} {value:.3f} ({interval}) is {'at least' if passed else 'below'} {limit:.3f}"
    return Condition(name=name, value=value, limit=limit, passed=passed, text=text)


def _latency(value: float, limit: float) -> Condition:
    passed = value <= limit
    text = f"mean latency {value:.1f} ms a photo is {'at most' if passed else 'above'} {limit:.1f} ms"
    return Condition(name="mean_latency_ms", value=value, limit=limit, passed=passed, text=text)


def _champion(comparison: Comparison | None) -> Condition:
    compared = comparison is not None and comparison.photos > 0 and not comparison.identical
    return Condition(
        name="champion",
        value=comparison.difference if compared and comparison else None,
        limit=0.0,
        passed=comparison is None or not comparison.worse,
        text=_champion_text(comparison),
    )


def _champion_text(comparison: Comparison | None) -> str:
    if comparison is None:
        return "there is no champion to compare with yet"
    name = f"the champion (version {comparison.version})"
    if comparison.identical:
        return f"this is the same model as {name}"
    left_out = _left_out(comparison)
    if not comparison.photos:
        return f"not compared with {name}: no test photo is left{left_out}"
    low, high = comparison.interval
    worse = "worse than" if comparison.worse else "not worse than"
    figures = f"accuracy {comparison.challenger:.3f} against {comparison.champion:.3f}"
    interval = f"{comparison.confidence:.0%} interval {low:+.3f} to {high:+.3f}"
    alone = f"alone right on {comparison.only_challenger} against {comparison.only_champion} photos"
    return (
        f"{worse} {name} beyond noise: {figures} on the same {comparison.photos} photos, difference "
        f"{comparison.difference:+.3f} ({interval}), {alone} (McNemar p = {comparison.p_value:.3g}); it "
        f"fails only if all of the interval is below 0 and p below {1 - comparison.confidence:.2g}{left_out}"
    )


def _left_out(comparison: Comparison) -> str:
    parts = []
    if comparison.seen:
        parts.append(f"{comparison.seen} left out that it knows from training, or others of the same group")
    if comparison.foreign:
        parts.append(f"{comparison.foreign} left out of classes it does not have")
    return f"; {', '.join(parts)}" if parts else ""
