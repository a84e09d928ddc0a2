"""OOD statistics are fitted in the export, and a classifier detects OOD photos with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import Provenance
from phytoflow.bundle.reports import OodDetection
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.report.scope import out_of_scope_uses
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.export.export import write_bundle
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.ood.detector import OodDetector
from phytoflow.ood.feature_statistics import FeatureStatistics
from phytoflow.ood.metrics import auroc
from phytoflow.storage.checksum import file_sha256
from tests.support.make_bundle import encode, pictures, trained_model

MOST = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("photos")
    for number, photo in enumerate(pictures(120)):
        file = folder / "photos" / photo.label / f"{number:03d}{Path(photo.path).suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo.content)
    settings = DataSettings(validation_fraction=0.2)
    prepare(str(folder / "photos"), settings, trained_model().preprocessing, 0, folder / "dataset")
    return Dataset.open(folder / "dataset")


def written(folder: Path, dataset: Dataset, photos: int = MOST) -> Path:
    settings = ExportSettings(formats=("onnx",), probe_photos=3, ood_reference_photos=photos)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    folder.mkdir()
    test = list(dataset.photos("test"))
    write_bundle(trained_model(), test, settings, provenance, folder, known=dataset)
    return folder


@pytest.fixture(scope="module")
def bundle(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("open") / "bundle", dataset)


@pytest.fixture(scope="module")
def detection(bundle: Path) -> OodDetection:
    ood = Bundle.load(bundle).manifest.ood
    assert ood is not None
    return ood


def test_the_settings_limit_the_training_photos(bundle: Path, detection: OodDetection) -> None:
    assert len(FeatureStatistics.load(bundle / detection.file).bank) == MOST
    assert detection.sha256 == file_sha256(bundle / detection.file)


def test_the_choice_was_made_on_validation_photos(dataset: Dataset, detection: OodDetection) -> None:
    # The model does not say what it was trained on: it may have been both.
    assert detection.known_photos == MOST + dataset.count("validation")
    assert detection.false_positive_rate <= 0.1
    assert detection.typical < detection.threshold
    assert detection.method in detection.scores
    best = max((score.near or 0) + score.far for score in detection.scores.values())
    chosen = detection.scores[detection.method]
    assert best - ((chosen.near or 0) + chosen.far) < 0.3


def test_held_out_validation_photos_alone_set_the_threshold(dataset: Dataset, tmp_path: Path) -> None:
    trained = trained_model()
    held_out = replace(trained, summary=trained.summary | {"trained_on": ["train"]})
    photos = list(dataset.photos("test"))[:4]
    settings = ExportSettings(formats=("onnx",), probe_photos=3, ood_reference_photos=MOST)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    manifest = write_bundle(held_out, photos, settings, provenance, tmp_path, known=dataset)
    assert manifest.ood is not None
    assert manifest.ood.known_photos == dataset.count("validation")


def test_a_classifier_recognises_test_photos_and_detects_noise(bundle: Path, dataset: Dataset) -> None:
    classifier = Classifier.load(bundle, "onnx", 1)
    assert classifier.detects_ood
    outputs = classifier.outputs(np.zeros((1, 3, 64, 64), np.float32))
    detector = OodDetector.from_bundle(classifier.bundle)
    assert outputs.novelty is not None  # the file includes the formula
    assert detector is not None
    assert outputs.features is not None
    np.testing.assert_allclose(outputs.novelty, detector.novelty(outputs.logits, outputs.features), rtol=1e-4)
    known = classifier.predict([photo.content for photo in dataset.photos("test")]).novelty
    random = np.random.default_rng(0)
    noise = [encode(random.integers(0, 256, (90, 90, 3), np.uint8).astype(np.uint8)) for _ in range(20)]
    novel = classifier.predict(noise).novelty
    assert known is not None
    assert novel is not None
    assert (known <= 1).mean() > 0.7
    assert auroc(known, novel) > 0.9


def test_a_bundle_without_onnx_has_statistics_too(dataset: Dataset, tmp_path: Path) -> None:
    settings = ExportSettings(formats=("torchscript",), probe_photos=3, ood_reference_photos=MOST)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    photos = list(dataset.photos("test"))[:4]
    manifest = write_bundle(trained_model(), photos, settings, provenance, tmp_path, known=dataset)
    assert manifest.ood is not None


def test_the_settings_can_turn_it_off(dataset: Dataset, tmp_path: Path) -> None:
    assert Bundle.load(written(tmp_path / "bundle", dataset, photos=0)).manifest.ood is None


def test_too_few_validation_photos_give_no_statistics(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = dataset.count("validation") + 1
    monkeypatch.setattr("phytoflow.export.ood_statistics._FEWEST_HELD_OUT", few)
    assert Bundle.load(written(tmp_path / "bundle", dataset)).manifest.ood is None


def test_known_photos_given_as_ood_photos_are_counted_as_accepted(
    bundle: Path, dataset: Dataset, tmp_path: Path
) -> None:
    """Given in one folder without class folders, together with a file that is no photo."""
    photos = list(dataset.photos("test"))
    for number, photo in enumerate(photos[:10]):
        (tmp_path / f"{number}.jpg").write_bytes(photo.content)
    (tmp_path / "notes.txt").write_text("no photo")
    settings = EvaluationSettings(bootstrap_samples=100, latency_photos=5, ood_data=str(tmp_path))
    metrics = evaluate(bundle, photos, settings, tmp_path / "out", seed=0)
    assert metrics.ood is not None
    assert metrics.ood.external is not None
    assert metrics.ood.external.photos == 10
    assert metrics.ood.external.accepted > 0.5
    assert any(
        "of 10 photos of something else one of its classes" in said for said in out_of_scope_uses(metrics)
    )
