"""The decision on a rollout: stop, wait, or go on to the next stage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from phytoflow.rollout.accuracy import answers_needed, compare, labels_needed
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sentences import REASONS
from phytoflow.rollout.sequential import CRASH, DECLINE, exceeds, sprt
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
        reason = REASONS["less_accurate"].format(right=evidence.challenger_right, labels=labels)
        return Decision("stop", stopped_stage(stage, by_hand=False, for_accuracy=True), reason)
    if reason := _missing(stage, evidence, settings, accuracy.not_worse):
        return Decision("wait", stage, reason)
    following = next_stage(stage, settings)
    return Decision("advance", following, REASONS["nothing_against"].format(pairs=evidence.pairs))


def _faults(evidence: Evidence, settings: RolloutSettings) -> Iterator[str]:
    """Reasons to stop that need no labels: over the whole rollout, and over its newest photos."""
    limit = -math.log(settings.stop_alpha)
    pairs, asked = evidence.pairs, evidence.pairs + evidence.failures
    tests = [("failures", asked, CRASH), ("slow", pairs, DECLINE), ("disagreements", pairs, DECLINE)]
    for name, trials, window in tests:
        rates = [getattr(settings, f"{kind}_{name}") for kind in ("expected", "bad")]
        hits, recent = getattr(evidence, name), getattr(evidence, f"recent_{name}")
        newest = window.newest(trials)
        if sprt(hits, trials, *rates) >= limit:
            yield REASONS[name].format(hits=hits, photos=trials)
        elif sprt(recent, newest, *rates) - window.cost(trials) >= limit:
            yield REASONS[f"recent_{name}"].format(hits=recent, photos=newest)
    yield from _shift(evidence, settings.max_shift, limit)


def _shift(evidence: Evidence, most: float, limit: float) -> Iterator[str]:
    newest = DECLINE.newest(evidence.pairs)
    if exceeds(evidence.shift, evidence.pairs, most) >= limit:
        yield REASONS["shift"].format(shift=f"{evidence.shift / evidence.pairs:.2f}")
    elif exceeds(evidence.recent_shift, newest, most) - DECLINE.cost(evidence.pairs) >= limit:
        average = evidence.recent_shift / newest
        yield REASONS["recent_shift"].format(shift=f"{average:.2f}", photos=newest)


def _missing(stage: Stage, evidence: Evidence, settings: RolloutSettings, not_worse: bool) -> str:
    """What is still needed before the next stage; empty if nothing is."""
    needed = settings.watch_pairs if stage.name == "watch" else settings.min_pairs
    if evidence.stage_pairs < needed:
        return REASONS["needs_pairs"].format(answers=needed - evidence.stage_pairs)
    last = stage.name == "canary" and stage.percent == settings.canary_percents[-1]
    if not last or not_worse:
        return ""
    labels = labels_needed(evidence, settings) if evidence.disagreements else None
    return _undecided(labels, answers_needed(evidence, settings))


def _undecided(labels: int | None, answers: int | None) -> str:
    """How many more labels or answers decide; None: beyond 10,000, or they do not."""
    if labels is None and answers is None:
        return REASONS["needs_many"]
    name = "needs_answers" if labels is None else "needs_labels" if answers is None else "needs_either"
    return REASONS[name].format(labels=labels, answers=answers)
