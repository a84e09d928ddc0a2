"""Paired comparison of two models on the same photos: is one better, or is the difference chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.errors import DataError
from phytoflow.evaluation.metrics.bootstrap import Interval, percentile_interval, resampled_sums
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings


@dataclass(frozen=True)
class PairedComparison:
    """Accuracies of two models on the same photos.

    Attributes:
        photos: Number of photos.
        first: Accuracy of the first model.
        second: Accuracy of the second model.
        interval: Confidence interval of ``difference``; paired bootstrap over groups.
        confidence_level: Level of the interval and of the test.
        only_first: Photos that only the first model classifies correctly.
        only_second: Photos that only the second model classifies correctly.
        p_value: McNemar's exact test that both are wrong equally often, photos assumed independent.
    """

    photos: int
    first: float
    second: float
    interval: Interval
    confidence_level: float
    only_first: int
    only_second: int
    p_value: float

    @property
    def difference(self) -> float:
        """Accuracy of the second model minus that of the first."""
        return self.second - self.first

    @property
    def second_is_worse(self) -> bool:
        """Whether the second model is significantly worse, by the interval and by McNemar's test.

        Both are needed. With few disagreements the bootstrap interval is too narrow, which the test knows;
        the test ignores that photos of one leaf are not independent, which the bootstrap knows.
        """
        return self._significant and self.interval[1] < 0

    @property
    def second_is_better(self) -> bool:
        """Whether the second model is significantly better; see ``second_is_worse``."""
        return self._significant and self.interval[0] > 0

    @property
    def _significant(self) -> bool:
        return self.p_value < 1 - self.confidence_level


def compare_paired(
    first: PhotoPredictions, second: PhotoPredictions, settings: EvaluationSettings, seed: int
) -> PairedComparison:
    """Compares predictions for the same photos by a paired bootstrap over groups and by McNemar's test.

    Each resample draws groups once for both models, so that photos that are hard for both cancel out (Efron &
    Tibshirani 1993; Koehn 2004 for paired comparisons).

    Args:
        first: At least one photo.
        second: Predictions for these photos, in any order, and perhaps for others.
        settings: Number of resamples and confidence level.
        seed: Seed of the bootstrap.

    Raises:
        DataError: The second has no prediction for one of the photos.
    """
    one, two = _correct(first, first.paths), _correct(second, first.paths)
    sums = resampled_sums(
        np.stack([two - one, np.ones_like(one)], axis=1),
        first.group_numbers,
        settings.bootstrap_samples,
        seed,
    )
    only_first, only_second = int((one > two).sum()), int((two > one).sum())
    return PairedComparison(
        photos=len(one),
        first=float(one.mean()),
        second=float(two.mean()),
        interval=percentile_interval(sums[:, 0] / sums[:, 1], settings.confidence_level),
        confidence_level=settings.confidence_level,
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """P value of McNemar's test (1947) in its exact form: a sign test of the disagreements."""
    from scipy.stats import binomtest

    disagreements = only_first + only_second
    return float(binomtest(only_first, disagreements).pvalue) if disagreements else 1.0


def _correct(predictions: PhotoPredictions, paths: tuple[str, ...]) -> NDArray[np.float64]:
    """1 where the photo is classified correctly, 0 elsewhere; float64 [N] in the order of ``paths``."""
    correct = dict(zip(predictions.paths, predictions.correct, strict=True))
    if missing := [path for path in paths if path not in correct]:
        what = f"no prediction for {len(missing)} of the photos, first {missing[0]}"
        raise DataError(what, remedy="compare models on the same photos")
    return np.array([correct[path] for path in paths], np.float64)
