"""The smoke test of one pod."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, PODS, Cluster
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest, run_smoke_test
from phytoflow.errors import DeployError
from phytoflow.inference.tolerance import TOLERANCES
from tests.deploy.kubernetes.conftest import ROW, SETTINGS, smoke_test
from tests.support.services.api_server import ApiServer


@pytest.fixture
def pod(cluster: Cluster) -> str:
    cluster.apply(
        INFERENCE_SERVICES, inference_service("leaf", "plants", Release("s3://m/v1", "v1"), SETTINGS)
    )
    (created,) = cluster.list(PODS)
    return str(created["metadata"]["name"])


def test_it_returns_the_largest_difference(cluster: Cluster, server: ApiServer, pod: str) -> None:
    server.answer = lambda version, photo: [ROW[0] - 5e-4 * (photo[0] == 3), ROW[1], ROW[2]]
    assert run_smoke_test(cluster, pod, "leaf", smoke_test("v1")) == pytest.approx(5e-4, rel=1e-3)


@pytest.mark.parametrize("value", [ROW[0] - 2 * TOLERANCES["float32"], float("nan")])
def test_a_difference_beyond_the_tolerance_fails(
    cluster: Cluster, server: ApiServer, pod: str, value: float
) -> None:
    server.answer = lambda version, photo: [value, ROW[1], ROW[2]]
    with pytest.raises(DeployError, match="otherwise than recorded") as failure:
        run_smoke_test(cluster, pod, "leaf", smoke_test("v1"))
    assert failure.value.reason == "smoke"


def test_another_version_fails(cluster: Cluster, pod: str) -> None:
    with pytest.raises(DeployError, match="serves version v1, not v2"):
        run_smoke_test(cluster, pod, "leaf", smoke_test("v2"))


def test_a_bundles_probes_become_a_test_that_grows(bundle: Path) -> None:
    loaded = Bundle.load(bundle)
    test = SmokeTest.from_probes(loaded)
    assert test.version == loaded.manifest.version and len(test.photos) == len(test.probabilities)
    np.testing.assert_allclose(test.probabilities.sum(1), 1, atol=1e-5)
    extra = np.full((1, test.probabilities.shape[1]), 1 / test.probabilities.shape[1], np.float32)
    grown = test.extended([b"photo"], extra)
    assert grown.photos == (*test.photos, b"photo") and len(grown.probabilities) == len(grown.photos)


@pytest.mark.parametrize(
    ("arguments", "tolerance"),
    [
        ((), TOLERANCES["float32"]),
        (("--runtime", "openvino"), TOLERANCES["float32"]),
        (("--precision", "bf16"), TOLERANCES["bf16"]),
        (("--precision=bf16",), TOLERANCES["bf16"]),
        (("--precision", "auto", "--max_batch_size=4"), TOLERANCES["bf16"]),
        (("--precision", "int8"), 0.2),
    ],
)
def test_the_tolerance_is_that_of_the_precision_the_predictor_serves_in(
    bundle: Path, arguments: tuple[str, ...], tolerance: float
) -> None:
    """Every precision was held to that of float32, so a bf16 predictor could not be published."""
    loaded = Bundle.load(bundle)
    models = dict(loaded.manifest.models)
    if "int8" in arguments:  # a file that states its own
        models["int8"] = models["onnx"].model_copy(update={"tolerance": 0.2})
    with_models = Bundle(loaded.path, loaded.manifest.model_copy(update={"models": models}))
    assert SmokeTest.from_probes(with_models, arguments).tolerance == tolerance
