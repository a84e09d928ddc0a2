"""An export that does not answer as the trained model is refused; a bundle is whole or not there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest, Provenance
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import ParityError
from phytoflow.export import export as module
from phytoflow.export.export import export, write_bundle
from phytoflow.export.formats import FILES, write_format
from phytoflow.export.parity import answers, check, compare
from phytoflow.export.photo_selection import spread
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.models.checkpoint import save_trained
from phytoflow.storage.atomic import atomic_folder
from tests.support.make_bundle import CLASSES, SIDE, make_bundle, pictures, trained_model

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
    np.testing.assert_allclose(recorded, expected, atol=1e-5)  # other numbers of threads round otherwise


def test_the_same_model_gives_the_same_version(tmp_path: Path) -> None:
    def made(name: str) -> BundleManifest:
        torch.set_num_threads(1)  # sums round otherwise with more, and opening a runtime changes it
        return Bundle.load(make_bundle(tmp_path / name)).manifest

    one, again = made("one"), made("again")
    assert again.probes == one.probes
    assert again.models["onnx"].sha256 == one.models["onnx"].sha256


def test_onnx_is_one_file_with_a_free_batch(bundle: Path) -> None:
    graph = onnx.load(bundle / FILES["onnx"], load_external_data=False).graph
    shape = graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param
    assert [side.dim_value for side in shape[1:]] == [3, SIDE, SIDE]
    assert not any(tensor.external_data for tensor in graph.initializer)


def test_a_perturbed_onnx_is_refused(bundle: Path, tmp_path: Path) -> None:
    model = onnx.load(bundle / FILES["onnx"])
    largest = max(model.graph.initializer, key=lambda tensor: np.prod(tensor.dims))
    values = numpy_helper.to_array(largest)
    largest.CopyFrom(numpy_helper.from_array((values * 1.02).astype(values.dtype), largest.name))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ParityError, match="onnx: a probability differs by"):
        _check("onnx", tmp_path / "model.onnx")


def test_a_perturbed_torchscript_is_refused(tmp_path: Path) -> None:
    trained = trained_model()
    with torch.no_grad():
        next(trained.model.parameters()).mul_(1.02)
    path = write_format("torchscript", trained.model, torch.rand(2, 3, SIDE, SIDE), tmp_path)
    with pytest.raises(ParityError, match="torchscript: a probability differs by"):
        _check("torchscript", path)


def test_the_exact_export_passes(bundle: Path) -> None:
    for form, file in FILES.items():
        _check(form, bundle / file)


class FixedBatch(torch.nn.Module):
    """ModelOutputs as its model does for two photos only: what a trace with a baked-in size looks like."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)[:2]


def test_a_baked_in_batch_size_is_refused(tmp_path: Path) -> None:
    path = write_format(
        "torchscript", FixedBatch(trained_model().model).eval(), torch.rand(2, 3, SIDE, SIDE), tmp_path
    )
    with pytest.raises(ParityError):
        _check("torchscript", path)


def test_a_file_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ParityError, match="cannot be run"):
        _check("onnx", tmp_path / "model.onnx")


def test_a_refused_export_leaves_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perturbed(form, model, example, folder):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            next(model.parameters()).mul_(1.05)
        return write_format(form, model, example, folder)

    monkeypatch.setattr(module, "write_format", perturbed)
    with pytest.raises(ParityError), atomic_folder(tmp_path / "bundle") as folder:
        write_bundle(
            trained_model(), pictures(), ExportSettings(formats=("torchscript",)), PROVENANCE, folder
        )
    assert list(tmp_path.iterdir()) == []


def test_agreement_has_its_own_limit() -> None:
    near = np.array([[0.5002, 0.4998], [0.9, 0.1]], np.float32)
    flipped = np.array([[0.4998, 0.5002], [0.9, 0.1]], np.float32)
    with pytest.raises(ParityError, match=r"50\.00% of photos"):
        check("onnx", compare(near, flipped), SETTINGS)


def test_nan_is_never_near() -> None:
    fine = np.array([[0.5, 0.5]], np.float32)
    parity = compare(fine, np.array([[np.nan, 0.5]], np.float32))
    assert parity.max_probability_difference == float("inf")


def test_photos_are_spread_over_classes() -> None:
    labels = ["a"] * 50 + ["b"] * 3 + ["c"] * 20
    picked = [labels[i] for i in spread(labels, 9)]
    assert [picked.count(label) for label in "abc"] == [3, 3, 3]
    assert len(spread(labels, 1000)) == len(set(spread(labels, 1000))) == 73
    assert [labels[i] for i in spread(labels, 2)] == ["a", "b"]
    assert spread([], 5) == []


def _check(form: str, path: Path) -> None:
    """The comparison the export makes, with the unperturbed model's answers."""
    trained = trained_model()
    preprocessing: Preprocessing = trained.preprocessing
    tensors = np.stack([preprocessing(photo.content) for photo in pictures()])
    with torch.no_grad():
        reference = softmax(trained.model(torch.from_numpy(tensors)).numpy(), 1.3)
    check(form, compare(reference, answers(form, path, tensors, 1.3)), SETTINGS)  # type: ignore[arg-type]


def test_the_step_reads_a_model_folder_and_a_dataset(tmp_path: Path) -> None:
    trained = trained_model()
    (tmp_path / "model").mkdir()
    save_trained(tmp_path / "model", trained.model, trained.classes, trained.preprocessing, trained.facts)
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
