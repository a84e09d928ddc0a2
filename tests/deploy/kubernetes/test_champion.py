"""Publishing what the registry calls champion."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.champion import champion_release
from phytoflow.deploy.kubernetes.inference_service import inference_service
from phytoflow.deploy.kubernetes.release import fetch_bundle
from phytoflow.errors import ConfigError, TrackingError
from phytoflow.tracking.registry import promote, register
from phytoflow.tracking.settings import TrackingSettings
from tests.deploy.kubernetes.conftest import SETTINGS
from tests.support.services.object_store import object_store


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrackingSettings]:
    """A registry in a file, and a store with the bucket ``models``."""
    (tmp_path / "store" / "models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with object_store(tmp_path / "store", monkeypatch):
        yield TrackingSettings(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", registered_model="leaf")


def test_the_champion_is_stored_where_the_cluster_reads_it(
    cluster: Cluster, bundle: Path, tracking: TrackingSettings, tmp_path: Path
) -> None:
    version = register(bundle, tracking, tmp_path)
    with pytest.raises(TrackingError, match="leaf has no champion"):
        champion_release(cluster, "leaf", tracking, "s3://models/all", tmp_path / "work")
    promote(tracking, tmp_path, version)
    local, release = champion_release(cluster, "leaf", tracking, "s3://models/all", tmp_path / "work")
    expected = Bundle.load(bundle).manifest
    assert local.manifest == expected
    assert release.uri == f"s3://models/all/bundles/{expected.version}"
    assert release.facts["model-version"] == version
    assert fetch_bundle(release.uri, tmp_path / "back").manifest == expected


def test_a_champion_that_serves_already_keeps_its_location(
    cluster: Cluster, bundle: Path, tracking: TrackingSettings, tmp_path: Path
) -> None:
    promote(tracking, tmp_path, register(bundle, tracking, tmp_path))
    _, first = champion_release(cluster, "leaf", tracking, "s3://models/one", tmp_path / "work")
    cluster.apply(INFERENCE_SERVICES, inference_service("leaf", "plants", first, SETTINGS))
    shutil.rmtree(tmp_path / "store" / "models")
    _, again = champion_release(cluster, "leaf", tracking, "s3://models/two", tmp_path / "again")
    assert again == first


def test_a_store_that_the_cluster_cannot_read_is_refused(
    cluster: Cluster, tracking: TrackingSettings, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="cannot read it"):
        champion_release(cluster, "leaf", tracking, "out", tmp_path / "work")
