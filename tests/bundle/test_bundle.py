import json
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import MANIFEST, Bundle, write_manifest
from phytoflow.bundle.manifest import BundleManifest, ModelFile, Probe, Provenance
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import BundleError
from phytoflow.storage.checksum import file_sha256


def _bundle(folder: Path, **changes: object) -> BundleManifest:
    (folder / "probes").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"a model")
    (folder / "probes" / "0.jpg").write_bytes(b"a photo")
    model = ModelFile(
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        bytes=7,
        max_probability_difference=1e-6,
        top1_agreement=1,
        photos_compared=9,
    )
    facts: dict[str, object] = {
        "name": "leaf",
        "classes": ("healthy", "rust"),
        "backbone": "resnet18",
        "head": "linear",
        "parameters": 1000,
        "preprocessing": Preprocessing(),
        "models": {"onnx": model},
        "probes": (Probe(file="probes/0.jpg", label="rust", probabilities=(0.2, 0.8)),),
        "provenance": Provenance(data_hash="d", code_version="c", settings={}),
    }
    manifest = BundleManifest.model_validate(facts | changes)
    write_manifest(folder, manifest)
    return manifest


def test_a_bundle_comes_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = _bundle(tmp_path / "b")
    bundle = Bundle.load(tmp_path / "b")
    assert bundle.manifest == manifest
    assert bundle.model_path("onnx").read_bytes() == b"a model"
    assert bundle.probe_contents() == [b"a photo"]
    assert bundle.training_photos() == frozenset()


def test_the_version_names_what_answers_and_nothing_else(tmp_path: Path) -> None:
    first = _bundle(tmp_path / "a")
    assert (
        _bundle(tmp_path / "b", provenance=Provenance(data_hash="x", code_version="y", settings={})).version
        == first.version
    )
    assert _bundle(tmp_path / "c", temperature=2.0).version != first.version
    assert _bundle(tmp_path / "d", classes=("rust", "healthy")).version != first.version


def test_an_altered_or_missing_model_is_refused(tmp_path: Path) -> None:
    _bundle(tmp_path / "b")
    (tmp_path / "b" / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match="not the file its manifest describes"):
        Bundle.load(tmp_path / "b")
    (tmp_path / "b" / "model.onnx").unlink()
    with pytest.raises(BundleError, match="missing"):
        Bundle.load(tmp_path / "b")


def test_no_bundle_and_another_schema_are_said(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle at"):
        Bundle.load(tmp_path)
    _bundle(tmp_path / "b")
    text = (tmp_path / "b" / MANIFEST).read_text().replace('"schema_version": 3', '"schema_version": 99')
    (tmp_path / "b" / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match="schema_version"):
        Bundle.load(tmp_path / "b")


def test_a_form_that_is_not_there_is_said(tmp_path: Path) -> None:
    _bundle(tmp_path / "b")
    with pytest.raises(BundleError, match="no torchscript model, only onnx"):
        Bundle.load(tmp_path / "b").model_path("torchscript")


def test_a_bundle_of_the_first_schema_is_still_read(tmp_path: Path) -> None:
    _bundle(tmp_path / "b")
    file = tmp_path / "b" / MANIFEST
    first = {k: v for k, v in json.loads(file.read_text()).items() if k != "open_set"} | {"schema_version": 1}
    file.write_text(json.dumps(first))
    assert Bundle.load(tmp_path / "b").manifest.open_set is None
