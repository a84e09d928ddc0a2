"""The TrainJob, checked against what Kubeflow Trainer's definition of it allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phytoflow.deploy.trainjob.environment import CONFIGURATION, CREDENTIALS
from phytoflow.deploy.trainjob.render import RUN_LABEL, Work, render
from phytoflow.deploy.trainjob.settings import TrainJobSettings

OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "train-1", "uid": "4711"}
WORK = Work("phytoflow-train-1", "run-1", 2, 4, ("-m", "some.module"), "phytoflow/pipeline:1", OWNER)
FULL = TrainJobSettings(
    accelerator_type="nvidia.com/gpu",
    node_selector={"zone": "a"},
    tolerations=("gpu",),
    queue="team",
    shared_memory="8Gi",
)
# Names and types of the fields of TrainJobs in Kubeflow Trainer 2.3, taken from its CustomResourceDefinition.
FIELDS = json.loads((Path(__file__).parent / "trainjob_fields.json").read_text())


def check(value: Any, fields: Any, where: str) -> None:
    """Refuses fields that the definition does not have, and values of another type."""
    if isinstance(fields, list):
        assert isinstance(value, list), where
        for number, item in enumerate(value):
            check(item, fields[0], f"{where}[{number}]")
    elif isinstance(fields, dict):
        assert isinstance(value, dict), where
        for key, item in value.items():
            assert key in fields or "*" in fields, f"{where} has no field {key}"
            check(item, fields.get(key, fields.get("*")), f"{where}.{key}")
    else:
        kinds = {"string": str, "integer": int, "boolean": bool, "any": object, "quantity": str}
        assert isinstance(value, kinds[fields]), f"{where} is no {fields}"


@pytest.mark.parametrize("settings", [TrainJobSettings(), FULL])
def test_every_field_is_one_of_the_definition(settings: TrainJobSettings) -> None:
    check(render(WORK, "plants", settings)["spec"], FIELDS, "spec")


def test_a_wrong_field_is_found() -> None:
    with pytest.raises(AssertionError, match="no field nodes"):
        check({"trainer": {"nodes": 2}}, FIELDS, "spec")


def test_it_says_what_runs_where() -> None:
    job = render(WORK, "plants", FULL)
    trainer = job["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["numProcPerNode"], trainer["image"]) == (2, 4, WORK.image)
    assert " ".join(trainer["command"] + trainer["args"]) == "python -m torch.distributed.run -m some.module"
    assert trainer["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == "4"
    patch = job["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"][0]
    pod = patch["template"]["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"zone": "a"} and pod["tolerations"][0]["key"] == "gpu"
    assert pod["volumes"][0]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}


def test_it_is_the_runs_own() -> None:
    metadata = render(WORK, "plants", FULL)["metadata"]
    assert metadata["ownerReferences"] == [OWNER] and metadata["namespace"] == "plants"
    assert metadata["labels"][RUN_LABEL] == "run-1"
    assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    alone = render(Work("n", "", 1, 1, (), "i"), "plants", TrainJobSettings())["metadata"]
    assert "ownerReferences" not in alone and RUN_LABEL not in alone["labels"]


def test_keys_of_stores_come_from_the_secret_and_stand_nowhere() -> None:
    variables = {v["name"]: v for v in render(WORK, "plants", TrainJobSettings())["spec"]["trainer"]["env"]}
    assert variables.keys() >= {*CREDENTIALS, *CONFIGURATION}
    for key in CREDENTIALS:
        assert variables[key]["valueFrom"]["secretKeyRef"] == {
            "name": "phytoflow-s3",
            "key": key,
            "optional": True,
        }
