"""The drift reference that the export writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import Provenance
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import BundleError
from phytoflow.export.drift_reference import write_drift_reference
from phytoflow.export.export import write_bundle
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.monitoring.reference import load_reference
from tests.support.make_bundle import pictures, trained_model


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


@pytest.fixture(scope="module")
def bundle(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    settings = ExportSettings(formats=("onnx",), probe_photos=3)
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    write_bundle(trained_model(), list(dataset.photos("test")), settings, provenance, folder, known=dataset)
    return folder


def test_the_reference_holds_what_the_served_model_answers_for_unseen_photos(
    bundle: Path, dataset: Dataset
) -> None:
    opened = Bundle.load(bundle)
    reference, statistics = load_reference(opened)
    part = opened.manifest.drift_reference
    assert part is not None and statistics is not None
    photos = list(dataset.photos(part.split))
    assert part.photos == len(reference) == len(photos)
    answers = Classifier.load(bundle, "onnx").predict([photo.content for photo in photos])
    np.testing.assert_allclose(
        reference.observations.confidence, answers.probabilities.max(axis=1), atol=1e-4
    )
    assert answers.novelty is not None
    np.testing.assert_allclose(reference.observations.novelty, answers.novelty, atol=1e-2)
    assert [reference.classes[i] for i in reference.true] == [photo.label for photo in photos]
    assert len(set(reference.groups)) == len({photo.group for photo in photos})
    assert (bundle / part.file).stat().st_size < 2**20


def test_photos_that_the_network_was_trained_on_are_no_reference(bundle: Path, dataset: Dataset) -> None:
    manifest = Bundle.load(bundle).manifest
    seen = write_drift_reference(bundle, manifest, dataset, ("train", "validation")).drift_reference
    unseen = write_drift_reference(bundle, manifest, dataset, ("train",)).drift_reference
    assert (seen and seen.split, unseen and unseen.split) == ("test", "validation")


def test_an_altered_reference_is_refused(bundle: Path) -> None:
    file = bundle / "drift_reference.npz"
    content = file.read_bytes()
    try:
        file.write_bytes(content + b"x")
        with pytest.raises(BundleError, match="not the file its manifest describes"):
            Bundle.load(bundle)
    finally:
        file.write_bytes(content)
