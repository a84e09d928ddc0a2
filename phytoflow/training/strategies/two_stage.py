"""Two stages, and the second has to earn its place on photos it has not seen.

A small set is cross-validated: each photo of the judged folds judges once, and the final model is then fitted
on all photos. A large set is judged on its validation photos. Under the field preset each photo that judges
does so twice, as it is and in one augmented view: photos as they are would always choose a model for those.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phytoflow.training.context import Run
from phytoflow.training.features.cache import Views
from phytoflow.training.strategies.linear_probe import STRENGTHS, Probe
from phytoflow.training.strategies.selection import (
    SHARES,
    Judged,
    between,
    candidates,
    choose,
    folds,
    logits_of,
)
from phytoflow.training.strategies.stages import (
    Rows,
    Split,
    mlp_network,
    probe_network,
    probes,
    tuned_network,
)
from phytoflow.training.summary import Candidate

_LOG = logging.getLogger(__name__)
_AND_FIELD = ", each as it is and under the field preset"


@dataclass(frozen=True)
class Outcome:
    """The chosen network and why.

    Attributes:
        network: Tail and head.
        chosen: Its figures as a candidate.
        evidence: All candidates.
        evidence_from: What they were judged on.
        logits: Of the chosen candidate on the photos that judged.
        labels: Of those photos.
        strength: L2 penalty of the probe; 0 without one.
        trained_on: Splits the network has seen.
    """

    network: nn.Module
    chosen: Candidate
    evidence: list[Candidate]
    evidence_from: str
    logits: Tensor
    labels: Tensor
    strength: float
    trained_on: tuple[str, ...]


def two_stages(run: Run) -> Outcome:
    """Trains both stages and chooses between them."""
    return _cross_validated(run) if run.small else _held_out(run)


def _cross_validated(run: Run) -> Outcome:
    with run.timed("features"):
        pool = _joined(_views(run, "train", run.views), _views(run, "validation", run.views))
    groups = run.groups("train", "validation")
    parts = folds(pool.labels, groups, run.training.folds, run.seed)
    with run.timed("head"):
        strength = _strength_by_folds(run, pool, parts)
    parts = parts[: run.training.evaluated_folds]
    by_fold: list[list[Judged]] = []
    with run.timed("evidence"):
        for number, (rows, judge) in enumerate(parts, start=1):
            ends = _both(run, Split(pool, rows, None), strength, f"fold {number}")
            by_fold.append(_judged(run, ends, pool, judge, groups))
    judged = [Judged.joined(of_view) for of_view in zip(*by_fold, strict=True)]
    chosen, found = _chosen(run, Judged.joined(judged))
    judges = np.concatenate([judge for _, judge in parts])
    with run.timed("final"):
        everything = Split(pool, np.arange(len(pool)), None)
        start, tuned = _both(run, everything, strength, "final", second=chosen.share > 0)
    words = f"{len(parts)}-fold cross-validation, {len(judges)} of {len(pool)} training and validation photos"
    words += _AND_FIELD * (len(judged) - 1)
    return _outcome(run, (start, tuned), judged[0], (chosen, found), words, strength, ("train", "validation"))


def _held_out(run: Run) -> Outcome:
    keep = run.extractor.bytes_per_photo() * run.views * run.dataset.count("train")
    with run.timed("features"):
        views = _views(run, "train", run.views, keep=keep <= run.training.activation_cache_bytes)
        judged_views = _views(run, "validation", _judging(run))
    split = Split(views, np.arange(len(views)), judged_views)
    with run.timed("head"):
        strength = _strength_by_validation(run, split)
    with run.timed("tail"):
        start, tuned = _both(run, split, strength, "final")
    rows = np.arange(len(judged_views))
    judged = _judged(run, (start, tuned), judged_views, rows, run.groups("validation"))
    choice = _chosen(run, Judged.joined(judged))
    words = f"{len(judged_views)} validation photos" + _AND_FIELD * (len(judged) - 1)
    return _outcome(run, (start, tuned), judged[0], choice, words, strength, ("train",))


def _judging(run: Run) -> int:
    """Views in which a photo judges: as it is, and under the field preset in one augmented view too."""
    return min(run.views, 2) if run.training.augmentation == "outdoor" else 1


def _judged(
    run: Run,
    ends: tuple[nn.Sequential, nn.Sequential],
    views: Views,
    rows: Rows,
    groups: NDArray[np.int64],
) -> list[Judged]:
    """What the models between two ends say of some photos, for each view that judges."""
    networks = [between(*ends, share) for share in _shares(run)]
    labels = torch.from_numpy(views.labels[rows])
    return [
        Judged([logits_of(network, view[rows]) for network in networks], labels, groups[rows])
        for view in views.activations[: _judging(run)]
    ]


def _both(
    run: Run, split: Split, strength: float, name: str, *, second: bool = True
) -> tuple[nn.Sequential, nn.Sequential]:
    """First and second stage on some photos; where there is no second, the first twice."""
    if run.model.head == "mlp":
        start = mlp_network(run, split, f"{name} head")
    else:
        start = probe_network(run, probes(run, split.views, split.rows, (strength,))[0])
    if not second or len(_shares(run)) == 1:
        return start, start
    return start, tuned_network(run, start, split, name)


def _shares(run: Run) -> tuple[float, ...]:
    return SHARES if run.training.finetune_blocks and run.training.finetune_epochs else SHARES[:1]


def _chosen(run: Run, judged: Judged) -> tuple[Candidate, list[Candidate]]:
    found = candidates(judged)
    chosen = choose(found, run.training.min_improvement_se)
    for candidate in found:
        _LOG.info(
            "share %.2f: loss %.4f, macro-F1 %.4f%s",
            candidate.share,
            candidate.loss,
            candidate.macro_f1,
            " (chosen)" if candidate is chosen else "",
        )
    return chosen, found


def _outcome(
    run: Run,
    ends: tuple[nn.Sequential, nn.Sequential],
    judged: Judged,
    choice: tuple[Candidate, list[Candidate]],
    words: str,
    strength: float,
    trained_on: tuple[str, ...],
) -> Outcome:
    chosen, found = choice
    network = between(*ends, chosen.share)
    logits = judged.logits[found.index(chosen)]
    return Outcome(network, chosen, found, words, logits, judged.labels, strength, trained_on)


def _strength_by_folds(run: Run, pool: Views, parts: list[tuple[Rows, Rows]]) -> float:
    if run.model.head != "linear":
        return 0.0
    losses = [_probe_losses(run, probes(run, pool, rows, STRENGTHS), pool, judge) for rows, judge in parts]
    return STRENGTHS[int(np.sum(losses, axis=0).argmin())]


def _strength_by_validation(run: Run, split: Split) -> float:
    if run.model.head != "linear" or split.judged is None:
        return 0.0
    found = probes(run, split.views, split.rows, STRENGTHS)
    return STRENGTHS[int(np.argmin(_probe_losses(run, found, split.judged, np.arange(len(split.judged)))))]


def _probe_losses(run: Run, found: list[Probe], views: Views, rows: Rows) -> NDArray[np.float64]:
    labels = torch.from_numpy(views.labels[rows])
    losses = [
        [nn.functional.cross_entropy(p.logits(view[rows]), labels, reduction="sum") for p in found]
        for view in views.pooled[: _judging(run)]
    ]
    return np.array(losses, np.float64).sum(axis=0)


def _views(run: Run, split: str, count: int, *, keep: bool = True) -> Views:
    return run.extractor.views(split, run.training.augmentation, count, keep=keep)


def _joined(first: Views, second: Views) -> Views:
    """Two splits as one; small sets fit in memory."""
    if not len(second):
        return first
    both = zip(first.activations, second.activations, strict=True)
    pooled = zip(first.pooled, second.pooled, strict=True)
    return Views(
        [np.concatenate(pair) for pair in both],
        [np.concatenate(pair) for pair in pooled],
        np.concatenate([first.labels, second.labels]),
    )
