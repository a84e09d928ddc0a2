"""A Kubeflow Pipelines backend with the project's objects, and photos in the cluster's store.

``PHYTOFLOW_TEST_KFP`` names the backend, ``PHYTOFLOW_TEST_PIPELINE_IMAGE`` the steps' image. Without a
backend the tests are skipped. Each run takes minutes.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from phytoflow.storage.uri import put_folder
from tests.e2e.cluster import kubectl
from tests.e2e.kubeflow.runs import STEPS, Runs
from tests.support.small_training import write_photos

ROOT = Path(__file__).resolve().parents[3]
KUSTOMIZE = ROOT / "kustomize"


@pytest.fixture(scope="session")
def backend() -> str:
    """Address of the backend."""
    address = os.environ.get("PHYTOFLOW_TEST_KFP")
    if not address:
        pytest.skip("no Kubeflow Pipelines: PHYTOFLOW_TEST_KFP names no backend")
    return address


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders: those of ``PHYTOFLOW_TEST_PHOTOS``, or small drawn ones."""
    if given := os.environ.get("PHYTOFLOW_TEST_PHOTOS"):
        return Path(given)
    folder = tmp_path_factory.mktemp("photos") / "photos"
    write_photos(folder, 40)
    return folder


@pytest.fixture(scope="module")
def runs(
    backend: str, store: dict[str, str], photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The backend, ready for the pipeline, with the photos in the cluster's store."""
    kubectl("-n", STEPS, "apply", "-k", str(KUSTOMIZE / "overlays" / "dev-runs"))
    prefix = f"s3://phytoflow/test-{uuid.uuid4().hex[:8]}"
    put_folder(photos, f"{prefix}/photos")
    yield Runs(backend, prefix, tmp_path_factory.mktemp("kfp"))


@pytest.fixture(scope="module")
def trainer(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The feature ``trainjob`` in the namespace of the steps, as docs/how-to/distributed.md says."""
    if "trainjobs" not in kubectl("api-resources", "--api-group=trainer.kubeflow.org", "-o", "name"):
        pytest.skip("no Kubeflow Trainer: the cluster has no TrainJobs")
    overlay = tmp_path_factory.mktemp("trainjob")
    feature = os.path.relpath(KUSTOMIZE / "features" / "trainjob", overlay.resolve())
    pull = [{"op": "add", "path": f"{_CONTAINER}/imagePullPolicy", "value": "Never"}]
    content = {
        "namespace": STEPS,
        "components": [feature],
        "patches": [{"target": {"kind": "TrainingRuntime"}, "patch": yaml.safe_dump(pull)}],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(content))
    kubectl("-n", STEPS, "apply", "-k", str(overlay))


_CONTAINER = "/spec/template/spec/replicatedJobs/0/template/spec/template/spec/containers/0"
