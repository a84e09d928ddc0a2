"""Two models on the same photos: is one better, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.metrics.bootstrap import Interval, percentile_interval, resampled_sums
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion, on photos both may fairly be asked.

    Attributes:
        version: The champion's version in the registry.
        identical: Both bundles hold the same model; nothing was compared.
        photos: Photos compared.
        seen: Photos left out because the champion was trained on them, or on one of the same group.
        foreign: Photos left out because their class is none of the champion's.
        challenger: The challenger's accuracy on the photos compared.
        champion: The champion's.
        interval: Of the difference, challenger less champion; paired bootstrap over groups.
        confidence: Of the interval.
        only_challenger: Photos only the challenger names rightly.
        only_champion: Photos only the champion names rightly.
        p_value: Of McNemar's exact test that both are wrong equally often, photos taken as independent.
    """

    version: str
    identical: bool = False
    photos: int = 0
    seen: int = 0
    foreign: int = 0
    challenger: float = 0.0
    champion: float = 0.0
    interval: Interval = (0.0, 0.0)
    confidence: float = 0.95
    only_challenger: int = 0
    only_champion: int = 0
    p_value: float = 1.0

    @property
    def difference(self) -> float:
        """Accuracy of the challenger less the champion's."""
        return self.challenger - self.champion

    @property
    def worse(self) -> bool:
        """Whether the challenger is worse beyond noise: by the interval and by McNemar's test.

        A bootstrap of a handful of disagreements is surer than they allow; the test knows how few they are
        and not that photos of one leaf go together. Each stands in for what the other does not see.
        """
        return self.interval[1] < 0 and self.p_value < 1 - self.confidence


def paired(
    champion: PhotoPredictions,
    challenger: PhotoPredictions,
    chosen: NDArray[np.bool_],
    settings: EvaluationSettings,
    seed: int,
) -> Comparison:
    """Compares answers to the same photos by a paired bootstrap over groups, and by McNemar's test.

    Each resample draws groups once for both models, so that what makes a photo hard for both cancels out
    (Efron & Tibshirani 1993; Koehn 2004 for paired comparisons).

    Args:
        champion: Its answers; photos among them that the challenger did not answer are an error.
        challenger: Its answers.
        chosen: bool [N], which of the champion's rows count.
        settings: Resamples and confidence.
        seed: Of the bootstrap.
    """
    right = dict(zip(challenger.paths, challenger.correct, strict=True))
    new = np.array([right[path] for path in champion.paths], dtype=np.float64)[chosen]
    old = champion.correct[chosen].astype(np.float64)
    if not len(new):
        return Comparison("")
    groups = np.unique(np.asarray(champion.groups)[chosen], return_inverse=True)[1]
    sums = resampled_sums(
        np.stack([new - old, np.ones_like(old)], axis=1), groups, settings.bootstrap_samples, seed
    )
    interval = percentile_interval(sums[:, 0] / sums[:, 1], settings.confidence_level)
    gained, lost = int((new > old).sum()), int((new < old).sum())
    return Comparison(
        "",
        photos=len(new),
        challenger=float(new.mean()),
        champion=float(old.mean()),
        interval=interval,
        confidence=settings.confidence_level,
        only_challenger=gained,
        only_champion=lost,
        p_value=mcnemar(gained, lost),
    )


def mcnemar(one: int, other: int) -> float:
    """P value of McNemar's test (1947) in its exact form: disagreements fall either way like coins."""
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue) if one + other else 1.0
