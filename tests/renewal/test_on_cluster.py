"""Names and notes of a rollout on a cluster; tests/e2e/renewal/test_rollout_run.py runs it on a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import ConfigError
from phytoflow.renewal.on_cluster import ClusterServers
from tests.support.golden import BUNDLE
from tests.support.make_bundle import make_bundle


def servers(bundle: Path, name: str = "leaf") -> ClusterServers:
    cluster = Cluster(ApiClient(), "farm")  # nothing here calls it
    return ClusterServers(cluster, name, Bundle.load(bundle), "s3://models/1/bundle", DeploySettings())


def test_a_rollout_is_known_by_the_bundle_in_its_challengers_name(tmp_path: Path) -> None:
    one, other = servers(BUNDLE), servers(make_bundle(tmp_path / "bundle"))
    assert one.challenger == f"leaf-{one.bundle.manifest.version[:8]}" != other.challenger
    url = f"http://{one.challenger}-predictor.farm/v2/models/{one.challenger}"
    assert one.is_of_bundle({"id": "1", "challenger": url})
    assert not other.is_of_bundle({"id": "1", "challenger": url})


def test_a_name_that_leaves_no_room_for_the_challengers_is_refused() -> None:
    with pytest.raises(ConfigError, match="more than 40 characters"):
        servers(BUNDLE, "l" * 32).exclusive()
