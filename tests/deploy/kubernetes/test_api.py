"""One connection to a cluster: credentials, objects, logs, errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, LEASES, PODS, Cluster
from phytoflow.errors import DeployError
from tests.support.services.api_server import ApiServer


def body(name: str = "one", **spec: object) -> dict[str, object]:
    return {"kind": "Lease", "metadata": {"name": name, "labels": {"of": name}}, "spec": spec}


def test_the_namespace_is_the_given_one_or_that_of_the_kubeconfig(cluster: Cluster) -> None:
    assert cluster.namespace == "plants"
    assert Cluster.connect("animals").namespace == "animals"


def test_without_credentials_nothing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DeployError, match="no cluster is named") as refusal:
        Cluster.connect()
    assert refusal.value.reason == "cluster" and "KUBECONFIG" in refusal.value.remedy


def test_objects_are_created_read_replaced_listed_and_deleted(cluster: Cluster) -> None:
    assert cluster.get(LEASES, "one") is None
    first = cluster.create(LEASES, body(a=1))
    with pytest.raises(DeployError) as conflict:
        cluster.create(LEASES, body())
    assert conflict.value.reason == "conflict"
    assert cluster.replace(LEASES, first | {"spec": {"a": 2}})["spec"] == {"a": 2}
    with pytest.raises(DeployError) as stale:
        cluster.replace(LEASES, first)
    assert stale.value.reason == "conflict"
    cluster.create(LEASES, body("two"))
    assert [item["metadata"]["name"] for item in cluster.list(LEASES, labelSelector="of=two")] == ["two"]
    cluster.delete(LEASES, "one")
    cluster.delete(LEASES, "one")  # an absent object is no error
    assert cluster.get(LEASES, "one") is None


def test_a_dry_run_is_said_to_the_server(cluster: Cluster, server: ApiServer) -> None:
    queries: list[str] = []
    handle = server.handle

    def note(method: str, url: str, *rest: object) -> tuple[int, bytes]:
        queries.append(url)
        return handle(method, url, *rest)  # type: ignore[arg-type]

    server.handle = note  # type: ignore[method-assign]
    metadata = {"name": "leaf", "annotations": {"phytoflow/revision": "", "phytoflow/bundle-version": ""}}
    cluster.apply(INFERENCE_SERVICES, {"metadata": metadata, "spec": {}}, dry_run=True)
    assert "dryRun=All" in queries[-1] and "fieldManager=phytoflow" in queries[-1]


def test_a_log_that_is_not_there_is_empty(cluster: Cluster) -> None:
    assert cluster.logs("none", "kserve-container") == ""
    assert cluster.list(PODS) == []


def test_a_cluster_that_does_not_answer_is_named(cluster: Cluster, server: ApiServer) -> None:
    server.close()
    impatient = Cluster.connect(retries=urllib3.Retry(total=1, backoff_factor=0))
    with pytest.raises(DeployError, match=r"127\.0\.0\.1") as refusal:
        impatient.get(LEASES, "one")
    assert refusal.value.reason == "cluster" and "KUBECONFIG" in refusal.value.remedy


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_an_api_server_on_this_machine_is_not_asked_through_a_proxy(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.invalid:3128")
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    assert Cluster.connect().get(LEASES, "one") is None
