"""Limits of the deployment's settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from phytoflow.deploy.settings import DeploySettings, ServingSettings


def test_replicas_are_a_range() -> None:
    assert DeploySettings(min_replicas=3, max_replicas=3).max_replicas == 3
    with pytest.raises(ValidationError, match="max_replicas is less than min_replicas"):
        DeploySettings(min_replicas=4)


@pytest.mark.parametrize("name", ["Leaf", "leaf_1", "-leaf", "leaf-", "", "löwe"])
def test_a_name_is_one_that_kubernetes_takes(name: str) -> None:
    with pytest.raises(ValidationError):
        ServingSettings(name=name)
