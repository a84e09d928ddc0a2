"""A bundle on its way to a cluster."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.kubernetes.release import (
    check_uri,
    fetch_bundle,
    load_smoke_test,
    release_of,
    store_bundle,
)
from phytoflow.deploy.kubernetes.revisions import Revision
from phytoflow.errors import BundleError, ConfigError, DeployError, StorageError
from phytoflow.storage.uri import put_folder
from tests.deploy.kubernetes.conftest import SETTINGS
from tests.support.services.object_store import object_store


@pytest.mark.parametrize("uri", ["out/bundle", "/out/bundle", "https://x/y", ""])
def test_a_location_that_a_cluster_cannot_read_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="cannot read it") as refusal:
        check_uri(uri, "the bundle")
    assert "s3://" in refusal.value.remedy


@pytest.mark.parametrize("uri", ["s3://models/a#b", "s3://models/a?b", "s3:///a", "s3://"])
def test_a_location_that_would_be_read_as_another_is_refused(uri: str) -> None:
    """KServe's storage initializer parses a URL: what follows # or ? would be lost without a word."""
    with pytest.raises(ConfigError, match="the bundle"):
        check_uri(uri, "the bundle")


def test_the_annotations_say_where_a_bundle_comes_from(bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))
    loaded = Bundle.load(copy)
    facts = release_of(loaded, "s3://b/v", model_version="3").facts
    assert facts["model-version"] == "3" and facts["data-hash"] == loaded.manifest.provenance.data_hash
    assert "accuracy" not in facts
    (copy / "metrics.json").write_text(json.dumps({"accuracy": 0.97125, "macro_f1": 0.5}))
    facts = release_of(loaded, "s3://b/v").facts
    assert (facts["accuracy"], facts["macro-f1"]) == ("0.9712", "0.5000")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder whose sub-folder ``models`` is the bucket of that name."""
    (tmp_path / "store" / "models").mkdir(parents=True)
    with object_store(tmp_path / "store", monkeypatch):
        yield tmp_path / "store"


def test_a_bundle_is_stored_once_under_its_version(bundle: Path, store: Path, tmp_path: Path) -> None:
    loaded = Bundle.load(bundle)
    uri = store_bundle(loaded, "s3://models/run")
    assert uri == f"s3://models/run/bundles/{loaded.manifest.version}"
    assert fetch_bundle(uri, tmp_path / "back").manifest == loaded.manifest
    manifest = store / uri.removeprefix("s3://") / MANIFEST
    before = manifest.stat().st_mtime_ns
    assert store_bundle(loaded, "s3://models/run") == uri and manifest.stat().st_mtime_ns == before


def test_a_bundle_without_manifest_is_stored_again(bundle: Path, store: Path) -> None:
    loaded = Bundle.load(bundle)
    folder = store / store_bundle(loaded, "s3://models/run").removeprefix("s3://")
    (folder / MANIFEST).unlink()  # as if the upload was killed: the manifest comes last
    store_bundle(loaded, "s3://models/run")
    assert (folder / MANIFEST).is_file()


def test_nothing_and_damage_are_told_apart(bundle: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="none"):
        fetch_bundle("s3://models/none", tmp_path / "a")
    put_folder(bundle, "s3://models/damaged")
    weights = next(p for p in (store / "models" / "damaged").iterdir() if p.name.startswith("model."))
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(BundleError):
        fetch_bundle("s3://models/damaged", tmp_path / "b")


def test_the_smoke_test_of_an_old_spec_needs_its_own_bundle(
    bundle: Path, store: Path, tmp_path: Path
) -> None:
    loaded = Bundle.load(bundle)
    put_folder(bundle, "s3://models/v")

    def revision(version: str) -> Revision:
        body = inference_service("leaf", "plants", Release("s3://models/v", version), SETTINGS)
        return Revision(1, body, "leaf-1", "uid")

    version = loaded.manifest.version
    test = load_smoke_test(revision(version), tmp_path / "a")
    assert len(test.photos) == len(loaded.manifest.probes)
    with pytest.raises(DeployError, match=f"holds version {version} now, not older") as refusal:
        load_smoke_test(revision("older"), tmp_path / "b")
    assert refusal.value.reason == "bundle"
