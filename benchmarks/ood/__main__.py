"""`python -m benchmarks.ood BUNDLE DATASET OOD_DATA`: quality and cost of OOD detection.

DATASET is a prepared dataset (OUTPUT/dataset of `phytoflow train`), whose test photos are the known ones.
OOD_DATA is a folder of photos that show none of the classes. The second table says, over random splits of the
validation and test photos by groups, how often a threshold has a false-positive rate that is too high. For
models trained on their validation photos (small sets) the table flatters. The third table is the cost of what
follows the network, see ``benchmarks.ood.postprocessing_cost``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.ood import postprocessing_cost
from benchmarks.ood.threshold_coverage import table
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.metrics.ood import measure_ood
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier


def measure(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of the dataset it was trained on.")],
    ood_data: Annotated[Path, typer.Argument(help="Photos that show none of the classes.")],
) -> None:
    """Prints the three tables."""
    classifier = Classifier.load(bundle, threads=1)
    test, groups = _novelty_of(classifier, Dataset.open(dataset), "test")
    metrics = measure_ood(classifier, test, str(ood_data), Path())  # a local folder needs no place to work
    assert metrics is not None and metrics.external is not None
    external = metrics.external
    print("| score | known | false-positive rate | OOD | AUROC | FPR95 | taken for known |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {metrics.method} | {len(test)} | {metrics.false_positive_rate:.1%} | {external.photos} | "
        f"{external.auroc:.4f} | {external.fpr95:.3f} | {external.accepted:.1%} |\n"
    )
    validation, more = _novelty_of(classifier, Dataset.open(dataset), "validation")
    numbers = np.unique([*groups, *more], return_inverse=True)[1]
    rate = ExportSettings().ood_false_positive_rate
    print("\n".join(table(np.concatenate([test, validation]), numbers, rate)) + "\n")
    with tempfile.TemporaryDirectory() as work:
        print("\n".join(postprocessing_cost.table(bundle, Path(work))))


def _novelty_of(
    classifier: Classifier, dataset: Dataset, split: str
) -> tuple[NDArray[np.float64], list[str]]:
    """Novelty and group of each photo of a split."""
    photos = list(dataset.photos(split))
    novelty = classifier.predict([photo.content for photo in photos]).novelty
    assert novelty is not None, "the bundle has no OOD statistics"
    return novelty.astype(np.float64), [photo.group for photo in photos]


if __name__ == "__main__":
    typer.run(measure)
