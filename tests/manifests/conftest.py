"""Builds overlays and features with kubectl."""

import copy
import functools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
Object = dict[str, Any]
Build = Callable[..., list[Object]]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Objects of an overlay or base with features, as ``kubectl apply -k`` sends them.

    ``name`` renames the declared InferenceService.
    """
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on the path")

    @functools.cache
    def _built(base: str, name: str, *features: str) -> list[Object]:
        tree = tmp_path_factory.mktemp("tree")
        for part in ("kustomize", "manifests"):
            shutil.copytree(ROOT / part, tree / part)
        declared = tree / "manifests" / "predictor" / "inferenceservice.yaml"
        declared.write_text(declared.read_text().replace("  name: leaf\n", f"  name: {name}\n"))
        file = tree / base / "kustomization.yaml"
        settings = yaml.safe_load(file.read_text())
        components = [os.path.relpath(tree / "kustomize" / "features" / f, tree / base) for f in features]
        settings["components"] = [*settings.get("components", []), *components]
        file.write_text(yaml.safe_dump(settings))
        done = subprocess.run(["kubectl", "kustomize", str(file.parent)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [item for item in yaml.safe_load_all(done.stdout) if item]

    def _build(base: str, *features: str, name: str = "leaf") -> list[Object]:
        return copy.deepcopy(_built(base, name, *features))

    return _build


def of_kind(objects: list[Object], kind: str, name: str = "") -> list[Object]:
    """Objects of a kind, perhaps of one name."""
    return [o for o in objects if o["kind"] == kind and name in ("", o["metadata"]["name"])]


def pod_specs(objects: list[Object]) -> dict[str, Object]:
    """Every pod spec by the object that has it; a ServingRuntime is one itself."""
    found = {}
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] == "ServingRuntime":
            found[name] = item["spec"]
        elif "template" in item.get("spec", {}):
            found[name] = item["spec"]["template"]["spec"]
    return found


def containers(spec: Object) -> list[Object]:
    """All containers of a pod spec."""
    return [*spec.get("initContainers", []), *spec["containers"]]
