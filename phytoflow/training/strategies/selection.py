"""Which of the models between the first stage and the second is used: what unseen photos say."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor, nn

from phytoflow.training.metrics import log_losses, macro_f1
from phytoflow.training.summary import Candidate

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Judged:
    """Logits of each share on photos that were not fitted on.

    Attributes:
        logits: One [N, C] for each of SHARES; only the first where there was no second stage.
        labels: int64 [N].
        groups: int64 [N]; photos of one group show one thing.
    """

    logits: list[Tensor]
    labels: Tensor
    groups: NDArray[np.int64]

    @staticmethod
    def joined(parts: Sequence[Judged]) -> Judged:
        """All photos of several, in turn; a group may stand in more than one."""
        shares = zip(*(part.logits for part in parts), strict=True)
        labels = torch.cat([part.labels for part in parts])
        return Judged([torch.cat(s) for s in shares], labels, np.concatenate([p.groups for p in parts]))


def candidates(judged: Judged) -> list[Candidate]:
    """The figures of each share, the first stage's first.

    Each is judged at its own best temperature, as it would be served: smoothed labels make a network modest,
    which is not a mistake.
    """
    shares = SHARES[: len(judged.logits)]
    losses = [log_losses(logits, judged.labels) for logits in judged.logits]
    scores = [macro_f1(logits, judged.labels) for logits in judged.logits]
    return [
        Candidate(
            share=share,
            loss=float(loss.mean()),
            loss_error=_error(loss - losses[0], judged.groups),
            macro_f1=score,
            f1_error=_score_error(score, len(judged.labels)),
        )
        for share, loss, score in zip(shares, losses, scores, strict=True)
    ]


def choose(found: Sequence[Candidate], caution: float) -> Candidate:
    """The best candidate that beats the first stage, or else the first stage.

    Of those whose loss is the lowest, or no more than its standard error above it, the one with the highest
    macro-F1 is the best.

    Args:
        found: As ``candidates`` gives them.
        caution: Standard errors by which the loss must be lower. The macro-F1 may be lower by less than one
            of its own: on small sets a photo or two decide it, where the loss weighs all of them.
    """
    start = found[0]
    least = start.macro_f1 - start.f1_error
    better = [c for c in found[1:] if start.loss - c.loss > caution * c.loss_error and c.macro_f1 >= least]
    lowest = min(better, key=lambda c: c.loss, default=start)
    close = [c for c in better if c.loss - lowest.loss <= lowest.loss_error]
    return max(close, key=lambda c: (c.macro_f1, -c.loss), default=start)


def between(start: nn.Module, end: nn.Module, share: float) -> nn.Module:
    """Weights on the line from one network to another fine-tuned from it (WiSE-FT, Wortsman 2022)."""
    network = copy.deepcopy(start)
    goal = end.state_dict()
    state = {
        name: torch.lerp(value, goal[name], share) if value.is_floating_point() else goal[name]
        for name, value in start.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval()


def logits_of(network: nn.Module, inputs: NDArray[np.generic], batch: int = 64) -> Tensor:
    """Inputs [N, ...] to logits [N, C], on the CPU."""
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(np.asarray(inputs[i : i + batch], np.float32)))
            for i in range(0, len(inputs), batch)
        ]
    return torch.cat(parts)


def folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], count: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Stratified folds that never part a group: (fitted on, judged on) rows; fewer where groups are few."""
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    count = max(2, min(count, fewest))
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32)
    return [(fit, judge) for fit, judge in splitter.split(labels, labels, groups) if len(fit) and len(judge)]


def _score_error(score: float, photos: int) -> float:
    """Binomial standard error, with one more hit and one more miss: a flawless score is not a certain one."""
    share = (score * photos + 1) / (photos + 2)
    return float(np.sqrt(share * (1 - share) / (photos + 2)))


def _error(difference: Tensor, groups: NDArray[np.int64]) -> float:
    """Standard error of a mean difference; photos of one group count as one observation."""
    _, numbers = np.unique(groups, return_inverse=True)
    sums = np.bincount(numbers, (difference - difference.mean()).double().numpy())
    return float(np.sqrt((sums**2).sum()) / len(difference))
