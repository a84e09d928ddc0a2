"""The content of a bundle's manifest."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from phytoflow.bundle.manifest import SCHEMA_VERSION, BundleManifest, Provenance
from tests.support.make_bundle import make_manifest


def test_the_version_depends_on_what_determines_the_answers_only(tmp_path: Path) -> None:
    first = make_manifest(tmp_path / "a")
    elsewhere = Provenance(data_hash="x", code_version="y", settings={})
    assert make_manifest(tmp_path / "b", provenance=elsewhere).version == first.version
    assert make_manifest(tmp_path / "c", temperature=2.0).version != first.version
    assert make_manifest(tmp_path / "d", classes=("rust", "healthy")).version != first.version


def test_a_manifest_has_two_classes_and_a_probe_photo_at_least(tmp_path: Path) -> None:
    for change in ({"classes": ("rust",)}, {"probes": ()}, {"unknown": 1}, {"temperature": 0}):
        with pytest.raises(ValidationError):
            make_manifest(tmp_path, **change)


def test_what_is_written_is_of_the_current_schema(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path)
    assert manifest.schema_version == SCHEMA_VERSION
    assert BundleManifest.model_validate_json(manifest.model_dump_json()) == manifest
