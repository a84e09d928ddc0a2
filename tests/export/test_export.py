"""From a trained model to a bundle, which is complete or absent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest, Provenance
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import ParityError, StorageError
from phytoflow.export import export as module
from phytoflow.export.export import export, write_bundle
from phytoflow.export.formats import write_format
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.models.checkpoint import save_trained
from phytoflow.storage.atomic import atomic_folder
from tests.support.disks import small_disk
from tests.support.make_bundle import CLASSES, make_bundle, pictures, trained_model

PROVENANCE = Provenance(data_hash="0", code_version="test", settings={})
SETTINGS = ExportSettings(probe_photos=6)


def test_the_bundle_holds_what_a_server_needs(bundle: Path) -> None:
    opened = Bundle.load(bundle)
    manifest = opened.manifest
    assert manifest.classes == CLASSES
    assert manifest.backbone == "attention_cnn"
    assert set(manifest.models) == {"torchscript", "onnx"}
    assert all(
        m.max_probability_difference < 1e-3 and m.top1_agreement == 1 for m in manifest.models.values()
    )
    assert json.loads((bundle / "class_mapping.json").read_text()) == {
        "0": "blight",
        "1": "healthy",
        "2": "rust",
    }
    assert {probe.label for probe in manifest.probes} == set(CLASSES)
    assert len(manifest.probes) == 6


def test_recorded_probabilities_are_the_trained_models(bundle: Path) -> None:
    trained, opened = trained_model(), Bundle.load(bundle)
    tensors = np.stack([trained.preprocessing(content) for content in opened.probe_contents()])
    with torch.no_grad():
        expected = softmax(trained.model(torch.from_numpy(tensors)).numpy(), 1.3)
    recorded = [probe.probabilities for probe in opened.manifest.probes]
    np.testing.assert_allclose(recorded, expected, atol=1e-5)  # rounding depends on the number of threads


def test_the_same_model_gives_the_same_version(tmp_path: Path) -> None:
    def version_of(name: str) -> BundleManifest:
        torch.set_num_threads(1)  # rounding depends on it, and opening a runtime changes it
        return Bundle.load(make_bundle(tmp_path / name)).manifest

    one, again = version_of("one"), version_of("again")
    assert again.probes == one.probes
    assert again.models["onnx"].sha256 == one.models["onnx"].sha256


def test_a_rejected_export_leaves_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perturb(model_format, model, example, folder):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            next(model.parameters()).mul_(1.05)
        return write_format(model_format, model, example, folder)

    monkeypatch.setattr(module, "write_format", perturb)
    with pytest.raises(ParityError), atomic_folder(tmp_path / "bundle") as folder:
        write_bundle(
            trained_model(), pictures(), ExportSettings(formats=("torchscript",)), PROVENANCE, folder
        )
    assert list(tmp_path.iterdir()) == []


def test_the_step_reads_a_model_folder_and_a_dataset(tmp_path: Path) -> None:
    trained = trained_model()
    (tmp_path / "model").mkdir()
    save_trained(tmp_path / "model", trained.model, trained.classes, trained.preprocessing, trained.summary)
    photos = tmp_path / "photos"
    for number, photo in enumerate(pictures(60)):
        file = photos / photo.label / f"{number:02d}{Path(photo.path).suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo.content)
    prepare(str(photos), DataSettings(), trained.preprocessing, 0, tmp_path / "dataset")
    dataset = Dataset.open(tmp_path / "dataset")

    manifest = export(tmp_path / "model", dataset, SETTINGS, PROVENANCE, tmp_path / "bundle", name="oak")

    opened = Bundle.load(tmp_path / "bundle")
    assert opened.manifest == manifest
    assert manifest.name == "oak"
    assert manifest.models["onnx"].photos_compared == dataset.count("test")
    test_photos = {hashlib.sha256(photo.content).hexdigest() for photo in dataset.photos("test")}
    assert {hashlib.sha256(content).hexdigest() for content in opened.probe_contents()} <= test_photos
    table = dataset.table
    assert opened.training_photos() == set(table.loc[table["split"].isin(["train", "validation"]), "sha256"])
    assert not opened.training_photos() & test_photos
    held_out = opened.test_photos()
    assert held_out.digests == test_photos
    assert all(held_out.resemble(phash, 0) for phash in table.loc[table["split"] == "test", "phash"])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 2) as folder:
        yield folder


@pytest.mark.parametrize("model_format", ["torchscript", "onnx"])
def test_a_full_disk_is_named_whatever_library_writes(disk: Path, model_format: str) -> None:
    """The exporters' own errors on a full disk do not mention it; the network takes 5 MB."""
    settings = ExportSettings(formats=(model_format,))  # type: ignore[arg-type]
    with (
        pytest.raises(StorageError, match="no space left to write") as raised,
        atomic_folder(disk / "b") as to,
    ):
        write_bundle(trained_model(), pictures(), settings, PROVENANCE, to)
    assert raised.value.exit_code == 5 and str(disk) in raised.value.remedy
    assert list(disk.iterdir()) == []


def test_a_model_of_the_old_settings_keeps_its_frozen_parts() -> None:
    """``finetune_blocks`` was called ``tail_blocks``; ``load_trained`` reads both."""
    trained = trained_model()
    blocks = len(trained.model.body) - 2
    few = replace(trained, summary=trained.summary | {"training": {"finetune_blocks": 1}})
    assert module._count_frozen_parts(few) == blocks
    assert module._count_frozen_parts(trained) == 1  # the default fine-tunes more blocks than it has
