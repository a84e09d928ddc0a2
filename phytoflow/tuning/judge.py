"""The end of a search: best trial and starting settings on test photos that no trial has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score

from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.compare.paired import PairedComparison, compare_paired
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.models.checkpoint import load_trained


@dataclass(frozen=True)
class Judgement:
    """The starting settings (first) and the best trial (second) on the same test photos.

    Attributes:
        paired: Accuracies, and the interval of their difference.
        macro_f1: Macro-F1 of both.
    """

    paired: PairedComparison
    macro_f1: tuple[float, float]

    def describe(self) -> str:
        """One sentence."""
        paired = self.paired
        low, high = (100 * value for value in paired.interval)
        level = f"{paired.confidence_level:.0%}"
        return (
            f"on {paired.photos} test photos that no trial saw: accuracy {paired.second:.1%} instead of "
            f"{paired.first:.1%} ({100 * paired.difference:+.1f} points, {level} interval "
            f"{low:+.1f} to {high:+.1f}), macro-F1 {self.macro_f1[1]:.3f} instead of {self.macro_f1[0]:.3f}"
        )


def judge(
    dataset: Dataset, first: Path, second: Path, settings: EvaluationSettings, seed: int
) -> Judgement | None:
    """Compares two trained models on the test photos; None if there are no test photos.

    Args:
        dataset: Its test photos are classified.
        first: Folder of the starting settings' model.
        second: Folder of the best trial's model.
        settings: Number of resamples and confidence level.
        seed: Seed of the bootstrap.
    """
    if not dataset.count("test"):
        return None
    one, two = (_classify(dataset, folder) for folder in (first, second))
    scores = (float(f1_score(each.labels, each.predicted, average="macro")) for each in (one, two))
    return Judgement(compare_paired(one, two, settings, seed), (next(scores), next(scores)))


def _classify(dataset: Dataset, folder: Path) -> PhotoPredictions:
    trained = load_trained(folder)
    paths, groups, labels, rows = [], [], [], []
    with torch.inference_mode():
        for photo in dataset.photos("test"):
            logits = trained.model(torch.from_numpy(trained.preprocessing(photo.content))[None])
            rows.append((logits[0].double() / trained.summary["temperature"]).softmax(0).numpy())
            paths.append(photo.path)
            groups.append(photo.group)
            labels.append(trained.classes.index(photo.label))
    return PhotoPredictions(
        paths=tuple(paths),
        groups=tuple(groups),
        labels=np.array(labels, np.int64),
        probabilities=np.stack(rows),
        classes=trained.classes,
    )
