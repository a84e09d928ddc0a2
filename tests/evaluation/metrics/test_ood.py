from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.reports import OodDetection, OodScoreMetrics
from phytoflow.errors import DataError
from phytoflow.evaluation.metrics.ood import measure_ood, ood_files
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from tests.support.colour_bundle import SHADES, jpeg


class Detecting(Classifier):
    """A classifier that calls blue photos unknown: novelty 1.5, other photos 0.5."""

    def predict(self, contents, limits=None):  # type: ignore[no-untyped-def]
        predictions = super().predict(contents)
        novelty = np.where(predictions.probabilities.argmax(axis=1) == 2, 1.5, 0.5)
        return Predictions(predictions.probabilities, predictions.classes, novelty)


@pytest.fixture(scope="module")
def classifier(colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    opened = Detecting.load(colour_bundle(tmp_path_factory.mktemp("ood") / "bundle"))
    scores = {"energy": OodScoreMetrics(near=0.8, far=0.95)}
    detection = OodDetection(
        file="ood.npz",
        sha256="0",
        method="energy",
        typical=0,
        threshold=1,
        known_photos=9,
        false_positive_rate=0.01,
        scores=scores,  # type: ignore[arg-type]
    )
    manifest = opened.bundle.manifest.model_copy(update={"ood": detection})
    opened.bundle = type(opened.bundle)(opened.bundle.path, manifest)
    return opened


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """Three blue photos, a red one, and files that are no photos."""
    (tmp_path / "strange/sky").mkdir(parents=True)
    for number, colour in enumerate(["blue", "blue", "blue", "red"]):
        (tmp_path / f"strange/sky/{number}.jpg").write_bytes(jpeg(SHADES[colour], number))
    (tmp_path / "strange/sky/cut.jpg").write_bytes(jpeg(SHADES["blue"])[:500])
    (tmp_path / "strange/sky/empty.jpg").write_bytes(b"")
    return tmp_path / "strange"


KNOWN = np.array([0.1] * 19 + [1.2])


def test_detected_and_accepted_photos_are_counted(
    classifier: Classifier, strange: Path, tmp_path: Path
) -> None:
    metrics = measure_ood(classifier, KNOWN, str(strange), tmp_path)
    assert metrics is not None and metrics.external is not None
    assert metrics.false_positive_rate == pytest.approx(1 / 20)
    assert (metrics.method, metrics.near, metrics.far) == ("energy", 0.8, 0.95)
    assert (metrics.external.photos, metrics.external.accepted) == (4, 0.25)
    assert metrics.external.auroc == pytest.approx((3 * 20 + 19) / (4 * 20))


def test_without_ood_data_only_the_false_positives_are_measured(
    classifier: Classifier, tmp_path: Path
) -> None:
    metrics = measure_ood(classifier, KNOWN, "", tmp_path)
    assert metrics is not None and metrics.external is None


def test_a_bundle_without_statistics_has_no_metrics(
    colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    plain = Classifier.load(colour_bundle(tmp_path / "bundle"))
    assert measure_ood(plain, None, "", tmp_path) is None


def test_a_folder_without_a_readable_photo_is_refused_by_its_address(
    classifier: Classifier, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"evaluation\.ood_data: no readable photo in .*broken"):
        measure_ood(classifier, KNOWN, str(folder), tmp_path)


def test_photos_are_listed_in_class_folders_or_not(strange: Path) -> None:
    (strange / "loose.jpg").write_bytes(jpeg(SHADES["red"]))
    (strange / ".hidden").mkdir()
    (strange / ".hidden/x.jpg").write_bytes(b"")
    assert len(ood_files(strange)) == 7
