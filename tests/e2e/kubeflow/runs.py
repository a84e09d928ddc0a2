"""Runs of the compiled pipeline on a Kubeflow Pipelines backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from phytoflow.storage.uri import list_folder
from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from pipelines.submit import Backend, connect
from tests.e2e.cluster import Object

STEPS = "kubeflow"
"""Namespace of the steps."""
IMAGE = os.environ.get("PHYTOFLOW_TEST_PIPELINE_IMAGE", "localhost/phytoflow/pipeline:test")
SMALL: dict[str, dict[str, object]] = {
    "model": {"image_size": 64},
    "data": {"near_duplicate_max_distance": 0},
    "training": {
        "cached_views": 1,
        "min_finetune_steps": 4,
        "finetune_epochs": 3,
        "cross_validate_below": 0,
        "device": "cpu",
    },
    "evaluation": {"bootstrap_samples": 200, "latency_photos": 10},
    "gate": {"min_accuracy": 0.3, "min_macro_f1": 0.2, "max_latency_ms": 10000},
    "serving": {"publish": False},
}


@dataclass(frozen=True)
class Runs:
    """The backend, and a prefix of the store with photos.

    Attributes:
        host: Address of the backend.
        prefix: Holds ``photos``, and what runs write.
        folder: For compiled pipelines.
    """

    host: str
    prefix: str
    folder: Path

    @cached_property
    def backend(self) -> Backend:
        """A connection."""
        return connect(self.host)

    def package(self, parts: int = 1, workers: int = 0) -> Path:
        """The compiled pipeline; with workers that which searches first."""
        options = CompileOptions(image=IMAGE, image_pull_policy="Never", parts=parts, workers=workers)
        return write_package(self.folder / f"parts-{parts}-workers-{workers}.yaml", options)

    def parameters(self, name: str, **sections: Mapping[str, object]) -> dict[str, str]:
        """Parameters of a run; ``sections`` are added to the small settings."""
        chosen = {key: {**SMALL.get(key, {}), **sections.get(key, {})} for key in {*SMALL, *sections}}
        place = {"data": f"{self.prefix}/photos", "output": f"{self.prefix}/{name}"}
        return place | {"overrides": yaml.safe_dump(chosen)}

    def create(self, name: str, package: Path, search: str = "", **sections: Mapping[str, object]) -> str:
        """Starts a run with kfp's own command; its id."""
        given = self.parameters(name, **sections) | ({"search": search} if search else {})
        words = [f"{key}={value}" for key, value in given.items()]
        program = str(Path(sys.executable).with_name("kfp"))
        command = [program, "--endpoint", self.host, "--output", "json", "run", "create", "-e", "tests"]
        done = subprocess.run(
            [*command, "-r", name, "-f", str(package), *words], capture_output=True, text=True, check=True
        )
        return str(json.loads(done.stdout[done.stdout.index("{") :])["run_id"])

    def state(self, run_id: str) -> str:
        """KFP's word for how it is."""
        return str(self.backend.client.get_run(run_id).state)

    def written(self, name: str) -> set[str]:
        """Names of the objects that a run has written."""
        return {line.rpartition(" ")[0] for line in list_folder(f"{self.prefix}/{name}")}


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until a condition is true; asks rarely, because the answers take the CPU that the steps need."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(5)


def step_pods(run_id: str, step: str) -> list[Object]:
    """Pods of a step, each with the program of the step in it."""
    label = f"pipeline/runid={run_id},app.kubernetes.io/component={step}"
    return list(objects("pods", "-l", label))


def objects(*words: str) -> list[Object]:
    """Objects in the namespace of the steps."""
    command = ["kubectl", "-n", STEPS, "get", *words, "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout)["items"])


def log_of(pod: Object) -> str:
    """What the program of a step has printed; empty before its container is there."""
    command = ["kubectl", "-n", STEPS, "logs", pod["metadata"]["name"], "-c", "main", "--tail=-1"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
