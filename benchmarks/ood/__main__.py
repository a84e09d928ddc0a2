"""`python -m benchmarks.ood BUNDLE DATASET STRANGERS`: how many strangers are noticed, at what cost.

DATASET is a prepared dataset (OUTPUT/dataset of `phytoflow train`), whose test photos are the known ones;
STRANGERS a folder of photos that show none of the classes. Then, over random splits of the validation and
test photos by groups, how often a threshold refuses too many; where the model was trained on its validation
photos (small sets) these look too familiar for that. The cost is that of what follows the network, see
``benchmarks.ood.postprocessing_cost``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.ood import postprocessing_cost as cost
from benchmarks.ood.threshold_coverage import table
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.metrics.ood import measure_ood
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier


def measure(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of the dataset it was trained on.")],
    strangers: Annotated[Path, typer.Argument(help="Photos that show none of the classes.")],
) -> None:
    """Asks and prints."""
    classifier = Classifier.load(bundle, threads=1)
    test, groups = _known(classifier, Dataset.open(dataset), "test")
    found = measure_ood(classifier, test, str(strangers), Path())  # a local folder needs no place to work
    assert found is not None
    assert found.external is not None
    print("| score | known | refused | strangers | AUROC | FPR95 | taken for known |")
    print("|---|---|---|---|---|---|---|")
    strange = found.external
    print(
        f"| {found.method} | {len(test)} | {found.false_positive_rate:.1%} | {strange.photos} | "
        f"{strange.auroc:.4f} | {strange.fpr95:.3f} | {strange.accepted:.1%} |\n"
    )
    held_out, more = _known(classifier, Dataset.open(dataset), "validation")
    numbers = np.unique([*groups, *more], return_inverse=True)[1]
    refused = ExportSettings().ood_false_positive_rate
    print("\n".join(table(np.concatenate([test, held_out]), numbers, refused)) + "\n")
    with tempfile.TemporaryDirectory() as work:
        print("\n".join(cost.table(bundle, Path(work))))


def _known(classifier: Classifier, dataset: Dataset, split: str) -> tuple[NDArray[np.float64], list[str]]:
    """Novelty and group of each photo."""
    photos = list(dataset.photos(split))
    found = classifier.predict([photo.content for photo in photos]).novelty
    assert found is not None, "the bundle has no open-set statistics"
    return found.astype(np.float64), [photo.group for photo in photos]


if __name__ == "__main__":
    typer.run(measure)
