"""A namespace of its own with the project's manifests, for tests of publishing. Skips without a cluster."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from minio import Minio

from phytoflow.bundle.bundle import Bundle
from phytoflow.client import rest_codec as v2
from phytoflow.deploy.kubernetes.api import Cluster, Object
from phytoflow.deploy.kubernetes.observe import observe
from phytoflow.deploy.kubernetes.publisher import PublishResult, deploy
from phytoflow.deploy.kubernetes.release import release_of
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings
from phytoflow.storage.uri import put_folder
from tests.support.make_bundle import make_bundle, pictures

ROOT = Path(__file__).resolve().parents[2]
IMAGE = os.environ.get("PHYTOFLOW_TEST_IMAGE", "localhost/phytoflow/predictor:test")
STORE = os.environ.get("PHYTOFLOW_TEST_S3_IN_CLUSTER", "minio.minio:9000")
NAME = "leaf"
SETTINGS = DeploySettings(cpu_request="50m", memory_request="128Mi", autoscaling="none")
# A whole run in a minute or two: small pictures, few resamples, a gate that refuses nothing.
QUICK: dict[str, Any] = {
    "model": {"image_size": 64},
    "training": {"cached_views": 1, "cross_validate_below": 0},
    "evaluation": {"bootstrap_samples": 100, "latency_photos": 5},
    "export": {"int8": False},
    "gate": {"min_accuracy": 0.0, "min_macro_f1": 0.0, "max_latency_ms": 10000},
}
SERVICE_ACCOUNTS = "/api/v1/namespaces/{namespace}/serviceaccounts"
SECRETS = "/api/v1/namespaces/{namespace}/secrets"
SERVICES = "/api/v1/namespaces/{namespace}/services"


@dataclass(frozen=True)
class Place:
    """A namespace with the project's manifests, and two bundles in the cluster's store."""

    admin: Cluster
    publisher: Cluster
    folders: tuple[Path, Path]
    uris: tuple[str, str]

    def deploy(self, which: int = 0, settings: DeploySettings = SETTINGS, **changed: object) -> PublishResult:
        """Publishes as `phytoflow deploy` does. ``changed`` are fields of the Release."""
        bundle = Bundle.load(self.folders[which])
        release = replace(release_of(bundle, self.uris[which]), **changed)
        return deploy(self.publisher, NAME, release, SmokeTest.from_probes(bundle), settings)

    def ask(self) -> tuple[str, np.ndarray]:
        """Queries the Service as a client does and returns version and probabilities."""
        body, headers = v2.encode([photo.content for photo in pictures(4)], None)
        path = SERVICES.format(namespace=self.admin.namespace) + f"/{NAME}-predictor:80/proxy"
        answers = v2.decode(
            self.admin.request("POST", f"{path}/v2/models/{NAME}/infer", body, headers=headers)
        )
        return answers[0].model_version, np.array([answer.probabilities for answer in answers])

    def pods(self) -> list[str]:
        """Returns the names of the pods that serve."""
        return sorted(pod["metadata"]["name"] for pod in observe(self.admin, NAME).pods)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    endpoint = os.environ.get("PHYTOFLOW_TEST_S3_ENDPOINT")
    if not endpoint:
        pytest.skip("no S3 server: PHYTOFLOW_TEST_S3_ENDPOINT is not set")
    name = f"phytoflow-test-{uuid.uuid4().hex[:6]}"
    folders = tuple(
        make_bundle(tmp_path_factory.mktemp("bundle") / letter, ("onnx",), seed=seed)
        for seed, letter in enumerate("ab")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        store = Minio(
            endpoint=endpoint.partition("://")[2],
            access_key=os.environ["AWS_ACCESS_KEY_ID"],
            secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            secure=endpoint.startswith("https"),
        )
        store.make_bucket(bucket_name=name)
        for folder in folders:
            put_folder(folder, f"s3://{name}/{folder.name}")
        admin = _namespace(name)
        publisher = as_account(name, "pipeline-runner")
        yield Place(admin, publisher, folders, (f"s3://{name}/a", f"s3://{name}/b"))
        admin.delete("/api/v1/namespaces", name)
        for item in store.list_objects(bucket_name=name, recursive=True):
            store.remove_object(bucket_name=name, object_name=item.object_name)
        store.remove_bucket(bucket_name=name)


def _namespace(name: str) -> Cluster:
    """Creates a namespace with the project's ServingRuntime, accounts and permissions."""
    admin = Cluster.connect(name)
    # "restricted" needs a storage initializer with a securityContext, which the cluster may lack
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    metadata = {"name": name, "labels": labels}
    admin.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    for body in _manifest("priorities/priorityclasses.yaml"):
        admin.apply("/apis/scheduling.k8s.io/v1/priorityclasses", body)
    (runtime,) = _manifest("serving/servingruntime.yaml")
    runtime["spec"]["containers"][0]["image"] = IMAGE
    admin.apply("/apis/serving.kserve.io/v1alpha1/namespaces/{namespace}/servingruntimes", runtime)
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/"
    for body in _manifest("publishing/role.yaml"):
        admin.apply(f"{rbac}roles", body)
    for body in _manifest("publishing/rolebinding.yaml"):
        body["subjects"] = [{"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": name}]
        admin.apply(f"{rbac}rolebindings", body)
    _account(admin, "phytoflow-predictor", os.environ["AWS_SECRET_ACCESS_KEY"])
    _account(admin, "wrong-keys", "not-the-secret")
    return admin


def _manifest(path: str) -> list[Object]:
    return list(yaml.safe_load_all((ROOT / "manifests" / path).read_text()))


def _account(admin: Cluster, name: str, secret_key: str) -> None:
    annotations = {
        "serving.kserve.io/s3-endpoint": STORE,
        "serving.kserve.io/s3-usehttps": "0",
        "serving.kserve.io/s3-region": "us-east-1",
    }
    keys = {"AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": secret_key}
    metadata = {"name": f"{name}-s3", "annotations": annotations}
    admin.apply(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    admin.apply(SERVICE_ACCOUNTS, account | {"secrets": [{"name": f"{name}-s3"}]})


def as_account(namespace: str, account: str) -> Cluster:
    """Connects as a ServiceAccount, so that RBAC decides what is allowed."""
    cluster = Cluster.connect(namespace)
    cluster._api.set_default_header("Impersonate-User", f"system:serviceaccount:{namespace}:{account}")
    return cluster
