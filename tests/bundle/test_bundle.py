"""A bundle on disk."""

import json
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import MANIFEST, TEST_PHOTOS, TRAINING_PHOTOS, Bundle
from phytoflow.bundle.manifest import SCHEMA_VERSION
from phytoflow.errors import BundleError
from tests.support.make_bundle import make_manifest


def test_a_bundle_comes_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path)
    bundle = Bundle.load(tmp_path)
    assert bundle.manifest == manifest
    assert bundle.model_path("onnx").read_bytes() == b"a model"
    assert bundle.probe_contents() == [b"a photo"]
    assert bundle.training_photos() == frozenset()


def test_an_altered_or_missing_model_is_refused(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match="not the file its manifest describes"):
        Bundle.load(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(BundleError, match="missing"):
        Bundle.load(tmp_path)


def test_a_folder_without_a_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=f"no bundle at {tmp_path}"):
        Bundle.load(tmp_path)


def test_a_bundle_of_a_newer_schema_asks_for_a_newer_phytoflow(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text()) | {"schema_version": SCHEMA_VERSION + 1}
    (tmp_path / MANIFEST).write_text(json.dumps(document | {"something": "new"}))
    with pytest.raises(BundleError, match="has schema 5; this version of phytoflow reads up to") as raised:
        Bundle.load(tmp_path)
    assert "newer phytoflow" in raised.value.remedy


def test_a_damaged_manifest_names_the_key(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(document | {"temperature": -1}))
    with pytest.raises(BundleError, match=r"bundle\.json: temperature: "):
        Bundle.load(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps(document)[:100])
    with pytest.raises(BundleError, match="Invalid JSON"):
        Bundle.load(tmp_path)


def test_a_format_that_the_bundle_lacks_is_named(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    with pytest.raises(BundleError, match="no torchscript model, only onnx"):
        Bundle.load(tmp_path).model_path("torchscript")


def test_photos_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    assert Bundle.load(tmp_path).count_trained_on(["a"]) is None  # there is no list
    (tmp_path / TRAINING_PHOTOS).write_text("a\nb\n")
    assert Bundle.load(tmp_path).count_trained_on(["b", "c", "b"]) == 2
    assert Bundle.load(tmp_path).count_trained_on([]) == 0


def test_an_old_bundle_says_that_it_has_no_list_of_test_photos(tmp_path: Path) -> None:
    make_manifest(tmp_path)
    with pytest.raises(BundleError, match="does not say which photos its model was tested on") as caught:
        Bundle.load(tmp_path).test_photos()
    assert "train it again" in caught.value.remedy
    (tmp_path / TEST_PHOTOS).write_text(f"sha256,phash\n{'a' * 64},{'0' * 15}1\n")
    assert Bundle.load(tmp_path).test_photos().digests == {"a" * 64}
