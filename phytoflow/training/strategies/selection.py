"""Model selection: which weights between the first and the second stage are used, by held-out photos."""

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
from phytoflow.training.summary import InterpolationCandidate

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class HeldOutLogits:
    """Logits of each candidate for photos that it was not fitted on.

    Attributes:
        logits: One [N, C] for each of ALPHAS; only the first without a second stage.
        labels: int64 [N].
        groups: int64 [N]; photos of one group show the same thing.
    """

    logits: list[Tensor]
    labels: Tensor
    groups: NDArray[np.int64]

    @staticmethod
    def concatenate(parts: Sequence[HeldOutLogits]) -> HeldOutLogits:
        """The photos of all parts in order; a group may occur in more than one."""
        logits = [torch.cat(same_alpha) for same_alpha in zip(*(p.logits for p in parts), strict=True)]
        labels = torch.cat([part.labels for part in parts])
        return HeldOutLogits(logits, labels, np.concatenate([part.groups for part in parts]))


def evaluate_candidates(held_out: HeldOutLogits) -> list[InterpolationCandidate]:
    """Evaluates each candidate, the first stage first.

    Each is evaluated at its own best temperature, as it would be served: the underconfidence that smoothed
    labels cause is no mistake.
    """
    alphas = ALPHAS[: len(held_out.logits)]
    losses = [log_losses(logits, held_out.labels) for logits in held_out.logits]
    scores = [macro_f1(logits, held_out.labels) for logits in held_out.logits]
    return [
        InterpolationCandidate(
            alpha=alpha,
            loss=float(loss.mean()),
            loss_error=_mean_error(loss - losses[0], held_out.groups),
            macro_f1=score,
            macro_f1_error=_score_error(score, len(held_out.labels)),
        )
        for alpha, loss, score in zip(alphas, losses, scores, strict=True)
    ]


def select_candidate(
    candidates: Sequence[InterpolationCandidate], min_improvement_se: float
) -> InterpolationCandidate:
    """Selects the best candidate that improves on the first stage, or else the first stage.

    Among the candidates with the lowest loss, or a loss within one standard error of it, the one with the
    highest macro-F1 is the best.

    Args:
        candidates: As ``evaluate_candidates`` returns them.
        min_improvement_se: Standard errors by which the loss must be lower than the first stage's. The
            macro-F1 may be lower by less than one of its own: on small sets one or two photos decide it,
            while the loss weighs all of them.
    """
    first = candidates[0]
    min_f1 = first.macro_f1 - first.macro_f1_error
    better = [
        candidate
        for candidate in candidates[1:]
        if first.loss - candidate.loss > min_improvement_se * candidate.loss_error
        and candidate.macro_f1 >= min_f1
    ]
    lowest = min(better, key=lambda candidate: candidate.loss, default=first)
    close = [candidate for candidate in better if candidate.loss - lowest.loss <= lowest.loss_error]
    return max(close, key=lambda candidate: (candidate.macro_f1, -candidate.loss), default=first)


def interpolate_weights(start: nn.Module, end: nn.Module, alpha: float) -> nn.Module:
    """A network on the line from one to another that was fine-tuned from it (WiSE-FT, Wortsman 2022).

    Args:
        start: Network at ``alpha`` 0.
        end: Network at ``alpha`` 1.
        alpha: Position, 0 to 1.

    Returns:
        A copy, in evaluation mode.
    """
    network = copy.deepcopy(start)
    goal = end.state_dict()
    state = {
        name: torch.lerp(value, goal[name], alpha) if value.is_floating_point() else goal[name]
        for name, value in start.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval()


def predict_logits(network: nn.Module, inputs: NDArray[np.generic], batch: int = 64) -> Tensor:
    """Logits [N, C] of a network for cached inputs [N, ...]; on the CPU."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(inputs), batch):
            rows = torch.from_numpy(np.asarray(inputs[start : start + batch], np.float32))
            parts.append(network(rows))
    return torch.cat(parts)


def grouped_folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], count: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Stratified folds that never split a group; fewer than ``count`` if a class has fewer groups.

    Returns:
        Rows to fit on and rows held out, for each fold.
    """
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    count = max(2, min(count, fewest))
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32)
    parts = splitter.split(labels, labels, groups)
    return [(fitted, held_out) for fitted, held_out in parts if len(fitted) and len(held_out)]


def _score_error(score: float, photos: int) -> float:
    """Binomial standard error with one more hit and one more miss: a perfect score is not a certain one."""
    share = (score * photos + 1) / (photos + 2)
    return float(np.sqrt(share * (1 - share) / (photos + 2)))


def _mean_error(differences: Tensor, groups: NDArray[np.int64]) -> float:
    """Standard error of a mean difference; the photos of one group count as one observation."""
    _, numbers = np.unique(groups, return_inverse=True)
    sums = np.bincount(numbers, (differences - differences.mean()).double().numpy())
    return float(np.sqrt((sums**2).sum()) / len(differences))
