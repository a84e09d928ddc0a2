"""An export measures what is known on its own photos, and what serves it can tell strangers."""

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
def described(bundle: Path) -> OodDetection:
    found = Bundle.load(bundle).manifest.ood
    assert found is not None
    return found


def test_statistics_are_of_no_more_training_photos_than_asked(bundle: Path, described: OodDetection) -> None:
    assert len(FeatureStatistics.load(bundle / described.file).bank) == MOST
    assert described.sha256 == file_sha256(bundle / described.file)


def test_the_choice_was_made_on_validation_photos(dataset: Dataset, described: OodDetection) -> None:
    assert described.known_photos == MOST + dataset.count("validation")  # it may have been trained on both
    assert described.false_positive_rate <= 0.1
    assert described.typical < described.threshold
    assert described.method in described.scores
    best = max((figures.near or 0) + figures.far for figures in described.scores.values())
    chosen = described.scores[described.method]
    assert best - ((chosen.near or 0) + chosen.far) < 0.3


def test_where_validation_was_held_out_it_alone_sets_the_threshold(dataset: Dataset, tmp_path: Path) -> None:
    trained = trained_model()
    held_out = replace(trained, facts=trained.facts | {"trained_on": ["train"]})
    photos = list(dataset.photos("test"))[:4]
    settings = ExportSettings(formats=("onnx",), probe_photos=3, ood_reference_photos=MOST)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    manifest = write_bundle(held_out, photos, settings, provenance, tmp_path, known=dataset)
    assert manifest.ood is not None
    assert manifest.ood.known_photos == dataset.count("validation")


def test_what_serves_it_knows_test_photos_and_notices_noise(bundle: Path, dataset: Dataset) -> None:
    classifier = Classifier.load(bundle, "onnx", 1)
    assert classifier.detects_ood
    found = classifier.outputs(np.zeros((1, 3, 64, 64), np.float32))
    detector = OodDetector.from_bundle(classifier.bundle)
    assert found.novelty is not None  # the file says it, as the formula does
    assert detector is not None
    assert found.features is not None
    np.testing.assert_allclose(found.novelty, detector.novelty(found.logits, found.features), rtol=1e-4)
    known = classifier.predict([photo.content for photo in dataset.photos("test")]).novelty
    random = np.random.default_rng(0)
    noise = [encode(random.integers(0, 256, (90, 90, 3), np.uint8).astype(np.uint8)) for _ in range(20)]
    strange = classifier.predict(noise).novelty
    assert known is not None
    assert strange is not None
    assert (known <= 1).mean() > 0.7
    assert auroc(known, strange) > 0.9


def test_a_form_less_than_onnx_will_do(dataset: Dataset, tmp_path: Path) -> None:
    settings = ExportSettings(formats=("torchscript",), probe_photos=3, ood_reference_photos=MOST)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    photos = list(dataset.photos("test"))[:4]
    manifest = write_bundle(trained_model(), photos, settings, provenance, tmp_path, known=dataset)
    assert manifest.ood is not None


def test_it_can_be_left_out(dataset: Dataset, tmp_path: Path) -> None:
    assert Bundle.load(written(tmp_path / "bundle", dataset, photos=0)).manifest.ood is None


def test_too_few_validation_photos_describe_nothing(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = dataset.count("validation") + 1
    monkeypatch.setattr("phytoflow.export.ood_statistics._LEAST_HELD_OUT", few)
    assert Bundle.load(written(tmp_path / "bundle", dataset)).manifest.ood is None


def test_strangers_let_in_are_counted_and_the_report_warns_of_them(
    bundle: Path, dataset: Dataset, tmp_path: Path
) -> None:
    """The strangers here are known photos under other names, in one folder without sub-folders."""
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
