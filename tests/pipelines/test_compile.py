"""Compiles every pipeline there is, and reads the YAML with kfp's own loader."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components

import pipelines
from pipelines.compile_options import CONFIGURATION, CREDENTIALS, SIZES, CompileOptions
from pipelines.package import write_package

GPU = CompileOptions(
    image="example.org/phytoflow/pipeline:abc123",
    accelerators=2,
    node_selector={"gpu": "a100"},
    tolerations=("nvidia.com/gpu",),
)
BUILDERS = [
    name
    for _, name, _ in pkgutil.iter_modules(pipelines.__path__)
    if hasattr(importlib.import_module(f"pipelines.{name}"), "build")
]


@pytest.fixture
def compiled(tmp_path: Path) -> list[dict[str, Any]]:
    write_package(tmp_path / "pipeline.yaml", GPU)
    return list(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text()))


def _executors(compiled: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name.removeprefix("exec-"): spec["container"]
        for name, spec in compiled[0]["deploymentSpec"]["executors"].items()
    }


@pytest.mark.parametrize("name", BUILDERS)
def test_every_pipeline_compiles_and_kfp_loads_it(name: str, tmp_path: Path) -> None:
    from kfp import compiler

    built = importlib.import_module(f"pipelines.{name}").build(GPU)
    compiler.Compiler().compile(built, str(tmp_path / "p.yaml"))
    loaded = components.load_component_from_file(str(tmp_path / "p.yaml"))
    assert {"data", "output", "preset", "seed", "overrides"} <= set(loaded.component_spec.inputs)


def test_every_step_has_image_and_limits(compiled: list[dict[str, Any]]) -> None:
    executors = _executors(compiled)
    assert set(executors) == set(SIZES)
    for name, container in executors.items():
        assert container["image"] == GPU.image, name
        assert {"resourceCpuLimit", "resourceMemoryLimit"} <= container["resources"].keys(), name
    deadlines = compiled[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert all(int(deadlines[f"exec-{name}"]["activeDeadlineSeconds"]) > 0 for name in SIZES)


def test_only_training_asks_for_gpus_and_their_nodes(compiled: list[dict[str, Any]]) -> None:
    asking = {n for n, c in _executors(compiled).items() if "accelerator" in c["resources"]}
    assert asking == {"train"}
    accelerator = _executors(compiled)["train"]["resources"]["accelerator"]
    assert accelerator["resourceType"] == "nvidia.com/gpu" and accelerator["resourceCount"] == "2"
    train = compiled[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-train"]
    assert train["nodeSelector"]["labels"] == {"gpu": "a100"}
    assert train["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert train["emptyDirMounts"][0]["medium"] == "Memory"


def test_parameters_are_described_and_what_publishes_is_never_cached(compiled: list[dict[str, Any]]) -> None:
    for name, spec in compiled[0]["root"]["inputDefinitions"]["parameters"].items():
        assert spec["description"], name
    components_ = compiled[0]["components"]
    tasks = dict(compiled[0]["root"]["dag"]["tasks"])
    for component in components_.values():
        tasks |= component.get("dag", {}).get("tasks", {})
    cached = {n for n, t in tasks.items() if t.get("cachingOptions", {}).get("enableCache")}
    assert cached == {"preprocess", "train", "export", "evaluate"}


def test_however_the_run_ends_it_says_so(compiled: list[dict[str, Any]]) -> None:
    last = compiled[0]["root"]["dag"]["tasks"]["finish"]
    assert last["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    assert last["dependentTasks"] == ["exit-handler-1"]


def test_every_step_gets_stores_labels_and_user_from_the_namespace(tmp_path: Path) -> None:
    options = CompileOptions(photos_volume="leaves", run_as_user=1000, image_pull_policy="IfNotPresent")
    write_package(tmp_path / "p.yaml", options)
    _, platform = yaml.safe_load_all((tmp_path / "p.yaml").read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name in SIZES:
        executor = executors[f"exec-{name}"]
        (secret,), (config,) = executor["secretAsEnv"], executor["configMapAsEnv"]
        assert secret["optional"] and {k["envVar"] for k in secret["keyToEnv"]} == set(CREDENTIALS), name
        assert config["optional"] and {k["envVar"] for k in config["keyToEnv"]} == set(CONFIGURATION), name
        assert executor["podMetadata"]["labels"]["app.kubernetes.io/component"] == name
        assert executor["securityContext"]["runAsUser"] == "1000", name
        assert executor["imagePullPolicy"] == "IfNotPresent", name
        assert ("pvcMount" in executor) == (name in {"configure", "preprocess", "evaluate"}), name


def test_the_gate_stands_before_register_and_publish(compiled: list[dict[str, Any]]) -> None:
    tasks = compiled[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert "gate" in tasks and "register" not in tasks and "publish" not in tasks
    conditions = {
        name: set(spec["dag"]["tasks"])
        for name, spec in compiled[0]["components"].items()
        if name.startswith("comp-condition-") and "branches" not in name
    }
    assert {"register", "publish"} in conditions.values() and {"refuse"} in conditions.values()
