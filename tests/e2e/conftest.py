"""Fixtures of tests on a real cluster with its object store. Without one, tests are skipped."""

import base64
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.kubernetes.publisher import PublishResult, deploy
from phytoflow.deploy.kubernetes.release import release_of
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings
from phytoflow.storage.uri import put_folder
from tests.e2e.cluster import NAMESPACE, forwarded, get, kubectl
from tests.support.make_bundle import make_bundle

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = ("minio", "postgresql", "mlflow", "redis", "gateway-worker")
GATEWAY_SECRET = "phytoflow-gateway"
SMALL = DeploySettings(
    cpu_request="50m", memory_request="256Mi", autoscaling="none", priority_class="phytoflow-serving"
)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a new bucket on the S3 server of ``PHYTOFLOW_TEST_S3_ENDPOINT``, with AWS_* credentials."""
    endpoint = os.environ.get("PHYTOFLOW_TEST_S3_ENDPOINT")
    if not endpoint:
        pytest.skip("no S3 server: PHYTOFLOW_TEST_S3_ENDPOINT is not set")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    scheme, _, host = endpoint.partition("://")
    client = Minio(
        endpoint=host,
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        secure=scheme == "https",
    )
    name = f"phytoflow-test-{uuid.uuid4().hex[:12]}"
    client.make_bucket(bucket_name=name)
    yield name
    for item in client.list_objects(bucket_name=name, recursive=True):
        client.remove_object(bucket_name=name, object_name=item.object_name)
    client.remove_bucket(bucket_name=name)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Applies the dev overlay, which stays after the tests, and returns its namespace."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    overlay = ROOT / "kustomize" / "overlays" / "dev"
    kubectl("apply", "-f", str(overlay / "namespace.yaml"))
    if not kubectl("get", "secret", GATEWAY_SECRET, "--ignore-not-found"):
        folder = str(tmp_path_factory.mktemp("gateway") / "secrets")
        subprocess.run([sys.executable, "-m", "phytoflow.cli", "stack", "secrets", folder], check=True)
        kubectl("create", "secret", "generic", GATEWAY_SECRET, f"--from-file={folder}")
    kubectl("apply", "-k", str(overlay))
    kubectl("wait", "--for=condition=Complete", "job/gateway-migrate", "--timeout=240s")
    for name in DEPLOYMENTS:
        kubectl("rollout", "status", f"deployment/{name}", "--timeout=240s")
    return NAMESPACE


@pytest.fixture(scope="module")
def store(platform: str) -> Iterator[dict[str, str]]:
    """Environment in which ``s3://`` is the dev overlay's MinIO. Other modules use another store."""
    secret = get("secret", "phytoflow-s3")["data"]
    with forwarded("service/minio", 9000) as port, pytest.MonkeyPatch.context() as patch:
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        environment = {key: base64.b64decode(secret[key]).decode() for key in keys}
        environment |= {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}", "AWS_REGION": "us-east-1"}
        for key, value in environment.items():
            patch.setenv(key, value)
        yield environment


@dataclass(frozen=True)
class Versions:
    """Two bundles, on this machine and in the cluster's store.

    Attributes:
        folders: Local folders.
        uris: Locations in the store.
    """

    folders: tuple[Path, Path]
    uris: tuple[str, str]

    def deploy(self, name: str, which: int = 0, settings: DeploySettings = SMALL) -> PublishResult:
        """Publishes one of them, as ``phytoflow deploy`` does."""
        bundle = Bundle.load(self.folders[which])
        release = release_of(bundle, self.uris[which])
        return deploy(Cluster.connect(NAMESPACE), name, release, SmokeTest.from_probes(bundle), settings)


@pytest.fixture(scope="module")
def versions(store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Two versions of a small model."""
    root, prefix = tmp_path_factory.mktemp("versions"), f"s3://phytoflow/test-{uuid.uuid4().hex[:8]}"
    folders = tuple(make_bundle(root / name, ("onnx",), seed=seed) for seed, name in enumerate("ab"))
    for folder in folders:
        put_folder(folder, f"{prefix}/{folder.name}")
    return Versions(folders, (f"{prefix}/a", f"{prefix}/b"))


@pytest.fixture(scope="session")
def address(platform: str) -> Iterator[str]:
    """Address of a node, at which NodePort Services spread connections over replicas."""
    node = get("nodes")["items"][0]
    internal = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    yield internal
    kubectl("delete", "service", "-l", "phytoflow/test=address", "--ignore-not-found")
