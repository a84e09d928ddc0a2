"""The decision on a rollout: stop, wait, or go on to the next stage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from phytoflow.rollout.accuracy import answers_needed, compare, labels_needed
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sequential import exceeds, newest, sprt, worsens
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage, next_stage, stopped_stage

Action = Literal["wait", "advance", "stop"]


@dataclass(frozen=True)
class Decision:
    """What is to happen.

    Attributes:
        action: ``wait``, ``advance`` or ``stop``.
        stage: The stage from now on.
        reason: Why, in a sentence.
    """

    action: Action
    stage: Stage
    reason: str


def decide(stage: Stage, evidence: Evidence, settings: RolloutSettings) -> Decision:
    """Decides on a rollout.

    The result depends on the arguments alone, so that a decision can be recomputed from the log.

    Args:
        stage: The present stage.
        evidence: What was counted since the rollout began.
        settings: Thresholds.
    """
    for reason in _faults(evidence, settings):
        return Decision("stop", stopped_stage(stage, by_hand=False, for_accuracy=False), reason)
    accuracy = compare(evidence, settings)
    if accuracy.worse:
        labels = evidence.challenger_right + evidence.champion_right
        reason = f"less accurate: right on {evidence.challenger_right} of {labels} photos that decide"
        return Decision("stop", stopped_stage(stage, by_hand=False, for_accuracy=True), reason)
    if reason := _missing(stage, evidence, settings, accuracy.not_worse):
        return Decision("wait", stage, reason)
    following = next_stage(stage, settings)
    return Decision("advance", following, f"nothing speaks against it after {evidence.pairs} pairs")


def _faults(evidence: Evidence, settings: RolloutSettings) -> Iterator[str]:
    """Reasons to stop that need no labels."""
    limit = -math.log(settings.stop_alpha)
    asked = evidence.pairs + evidence.failures
    tests = [
        ("failures", evidence.failures, asked, "it failed on {} of {} photos that the champion answered"),
        ("slow", evidence.slow, evidence.pairs, "it was slow on {} of {} photos"),
        (
            "disagreements",
            evidence.disagreements,
            evidence.pairs,
            "it names another class on {} of {} photos",
        ),
    ]
    for name, hits, trials, text in tests:
        if (
            sprt(hits, trials, *(getattr(settings, f"{kind}_{name}") for kind in ("expected", "bad")))
            >= limit
        ):
            yield text.format(hits, trials)
    rates = settings.expected_failures, settings.bad_failures
    if worsens(evidence.recent_failures, asked, *rates) >= limit:
        yield f"it failed on {evidence.recent_failures} of the newest {newest(asked)} photos"
    if exceeds(evidence.shift, evidence.pairs, settings.max_shift) >= limit:
        yield f"its probabilities differ by {evidence.shift / evidence.pairs:.2f} on average"


def _missing(stage: Stage, evidence: Evidence, settings: RolloutSettings, not_worse: bool) -> str:
    """What is still needed before the next stage; empty if nothing is."""
    needed = settings.watch_pairs if stage.name == "watch" else settings.min_pairs
    if evidence.stage_pairs < needed:
        return f"needs {needed - evidence.stage_pairs} more answers"
    last = stage.name == "canary" and stage.percent == settings.canary_percents[-1]
    if not last or not_worse:
        return ""
    ways = []
    if (labels := labels_needed(evidence, settings)) is not None and evidence.disagreements:
        ways.append(f"{labels} more labels of photos on which the two disagree")
    if (answers := answers_needed(evidence, settings)) is not None:
        ways.append(f"{answers} more answers")
    return f"needs about {' or '.join(ways) or 'more than 10,000 more labels or answers'}"
