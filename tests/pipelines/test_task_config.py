"""What each step is given: image, limits, stores, user, GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from phytoflow.deploy.trainjob.environment import CONFIGURATION, CREDENTIALS, STUDY_STORAGE
from pipelines.compile_options import SIZES, CompileOptions
from pipelines.package import write_package
from tests.pipelines.conftest import GPU

ONLY_IN_PARTS = {"scan", "merge"}
SEARCH = {"configure-search", "open-search", "work-on-search", "conclude-search"}


def _executors(compiled: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name.removeprefix("exec-"): spec["container"]
        for name, spec in compiled[0]["deploymentSpec"]["executors"].items()
    }


def test_every_step_has_image_and_limits(
    compiled: list[dict[str, Any]],
    compiled_in_parts: list[dict[str, Any]],
    compiled_search: list[dict[str, Any]],
) -> None:
    every = (compiled, compiled_in_parts, compiled_search)
    assert set().union(*map(_executors, every)) == set(SIZES)
    for documents in every:
        deadlines = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for name, container in _executors(documents).items():
            assert container["image"] == GPU.image, name
            assert {"resourceCpuLimit", "resourceMemoryLimit"} <= container["resources"].keys(), name
            assert int(deadlines[f"exec-{name}"]["activeDeadlineSeconds"]) > 0


def test_only_training_asks_for_gpus_and_their_nodes(compiled: list[dict[str, Any]]) -> None:
    asking = {n for n, c in _executors(compiled).items() if "accelerator" in c["resources"]}
    assert asking == {"train"}
    accelerator = _executors(compiled)["train"]["resources"]["accelerator"]
    assert accelerator["resourceType"] == "nvidia.com/gpu" and accelerator["resourceCount"] == "2"
    train = compiled[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-train"]
    assert train["nodeSelector"]["labels"] == {"gpu": "a100"}
    assert train["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert train["emptyDirMounts"][0]["medium"] == "Memory"


def test_every_step_gets_stores_labels_and_user_from_the_namespace(tmp_path: Path) -> None:
    options = CompileOptions(photos_volume="leaves", run_as_user=1000, image_pull_policy="IfNotPresent")
    write_package(tmp_path / "p.yaml", options)
    _, platform = yaml.safe_load_all((tmp_path / "p.yaml").read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name in SIZES.keys() - ONLY_IN_PARTS - SEARCH:
        executor = executors[f"exec-{name}"]
        (secret,), (config,) = executor["secretAsEnv"], executor["configMapAsEnv"]
        assert secret["optional"] and {k["envVar"] for k in secret["keyToEnv"]} == set(CREDENTIALS), name
        assert config["optional"] and {k["envVar"] for k in config["keyToEnv"]} == set(CONFIGURATION), name
        assert executor["podMetadata"]["labels"]["app.kubernetes.io/component"] == name
        assert executor["securityContext"]["runAsUser"] == "1000", name
        assert executor["imagePullPolicy"] == "IfNotPresent", name
        assert ("pvcMount" in executor) == (name in {"configure", "preprocess", "evaluate"}), name


def test_trials_get_gpus_and_only_steps_of_the_search_the_address_of_the_study(
    compiled_search: list[dict[str, Any]],
) -> None:
    asking = {n for n, c in _executors(compiled_search).items() if "accelerator" in c["resources"]}
    assert asking == {"train", "work-on-search", "conclude-search"}
    executors = compiled_search[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    given = {
        name.removeprefix("exec-"): {key["envVar"] for key in executor["secretAsEnv"][0]["keyToEnv"]}
        for name, executor in executors.items()
    }
    assert {name for name, keys in given.items() if STUDY_STORAGE in keys} == SEARCH
    assert STUDY_STORAGE not in str(compiled_search[0])  # no parameter and no argument
