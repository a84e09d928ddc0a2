"""Manifests of TrainJobs: what their pods may do, and what may be done with them."""

from __future__ import annotations

from phytoflow.deploy.trainjob.render import CONTAINER
from phytoflow.deploy.trainjob.settings import TrainJobSettings
from tests.manifests.conftest import Build, of_kind


def test_the_runner_writes_trainjobs_and_nothing_else(build: Build) -> None:
    rules = of_kind(build("manifests/training"), "Role")[0]["rules"]
    writing = {"create", "update", "patch", "delete", "deletecollection", "*"}
    written = {name for rule in rules if writing & set(rule["verbs"]) for name in rule["resources"]}
    read = {name for rule in rules for name in rule["resources"]} - written
    assert written == {"trainjobs"} and read == {"pods", "pods/log", "events"}


def test_pods_are_restricted_and_give_way_to_serving(build: Build) -> None:
    (runtime,) = of_kind(build("manifests/training"), "TrainingRuntime", TrainJobSettings().runtime)
    (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    pod = job["template"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["name"] == container["name"] == CONTAINER
    assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
    own = container["securityContext"]
    assert own["readOnlyRootFilesystem"] and own["capabilities"] == {"drop": ["ALL"]}
    assert own["allowPrivilegeEscalation"] is False
    priorities = {item["metadata"]["name"]: item["value"] for item in build("manifests/priorities")}
    # JobSet makes a label of the number, and a label begins with no minus.
    assert 0 <= priorities[pod["priorityClassName"]] < priorities["phytoflow-serving"]
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"])


def test_a_failed_pod_starts_all_again_and_no_finished_job_is_removed(build: Build) -> None:
    (runtime,) = of_kind(build("manifests/training"), "TrainingRuntime")
    spec = runtime["spec"]["template"]["spec"]
    (job,) = spec["replicatedJobs"]
    assert spec["failurePolicy"]["maxRestarts"] > 0 and job["template"]["spec"]["backoffLimit"] == 0
    assert job["template"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in str(runtime)
