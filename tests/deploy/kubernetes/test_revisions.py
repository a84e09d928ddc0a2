"""The history of good specs."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, REVISIONS, Cluster
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.kubernetes.revisions import HISTORY_LIMIT, history, record_revision
from tests.deploy.kubernetes.conftest import SETTINGS


def record(cluster: Cluster, version: str) -> int:
    body = inference_service("leaf", "plants", Release(f"s3://models/{version}", version), SETTINGS)
    return record_revision(cluster, cluster.apply(INFERENCE_SERVICES, body), body)


def versions(cluster: Cluster) -> list[str]:
    return [revision.bundle_version for revision in history(cluster, "leaf")]


def test_numbers_grow_and_the_newest_is_last(cluster: Cluster) -> None:
    assert [record(cluster, version) for version in ("v1", "v2")] == [1, 2]
    (first, second) = history(cluster, "leaf")
    assert (first.number, second.number) == (1, 2)
    assert (second.bundle_version, second.bundle_uri) == ("v2", "s3://models/v2")
    assert first.revision != second.revision


def test_the_oldest_is_deleted_beyond_the_limit(cluster: Cluster) -> None:
    for number in range(HISTORY_LIMIT + 3):
        record(cluster, f"v{number}")
    assert versions(cluster) == [f"v{n}" for n in range(3, HISTORY_LIMIT + 3)]


def test_a_spec_that_serves_again_moves_to_the_end(cluster: Cluster) -> None:
    for version in ("v1", "v2", "v1"):
        record(cluster, version)
    assert versions(cluster) == ["v2", "v1"]
    assert [revision.number for revision in history(cluster, "leaf")] == [2, 3]


def test_the_history_of_a_deleted_service_of_this_name_goes(cluster: Cluster) -> None:
    record(cluster, "v1")
    cluster.delete(INFERENCE_SERVICES, "leaf")
    record(cluster, "v2")
    assert versions(cluster) == ["v2"]


def test_the_service_owns_its_history(cluster: Cluster) -> None:
    record(cluster, "v1")
    (item,) = cluster.list(REVISIONS)
    service = cluster.get(INFERENCE_SERVICES, "leaf") or {}
    assert item["metadata"]["ownerReferences"][0]["uid"] == service["metadata"]["uid"]
