"""Limits of the deployment's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from phytoflow.data.images.limits import BYTES_PER_PIXEL, MAX_PIXELS
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from serving.predictor.options import Options


def test_replicas_are_a_range() -> None:
    assert DeploySettings(min_replicas=3, max_replicas=3).max_replicas == 3
    with pytest.raises(ValidationError, match="max_replicas is less than min_replicas"):
        DeploySettings(min_replicas=4)


@pytest.mark.parametrize("name", ["Leaf", "leaf_1", "-leaf", "leaf-", "", "löwe"])
def test_a_name_is_one_that_kubernetes_takes(name: str) -> None:
    with pytest.raises(ValidationError):
        ServingSettings(name=name)


def test_the_memory_limit_holds_all_that_the_predictors_limits_allow_and_the_manifests_have_it() -> None:
    idle = 300 * 2**20  # what `python -m benchmarks.decoding.serving` measures, rounded up
    bodies = 3 * Options.max_in_flight_bytes  # each as it came, as text and as the photo
    assert DeploySettings().memory == "2Gi"
    assert idle + bodies + MAX_PIXELS * BYTES_PER_PIXEL < 2 * 2**30
    runtime = yaml.safe_load(Path("manifests/serving/servingruntime.yaml").read_text())
    assert runtime["spec"]["containers"][0]["resources"]["limits"]["memory"] == DeploySettings().memory
