import pytest

from phytoflow.deploy.settings import ServingSettings
from phytoflow.steps.target import on_cluster


@pytest.mark.parametrize(
    ("target", "output", "cluster"),
    [
        ("auto", "/runs/1", False),
        ("auto", "s3://runs/1", True),
        ("local", "s3://runs/1", False),
        ("cluster", "/runs/1", True),
    ],
)
def test_the_output_decides_unless_the_settings_do(target: str, output: str, cluster: bool) -> None:
    assert on_cluster(ServingSettings.model_validate({"target": target}), output) is cluster
