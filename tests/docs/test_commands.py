"""Documented commands, executed as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.documents import Block, blocks_of
from tests.support.make_bundle import CLASSES
from tests.support.servers import Server


def execute(block: Block, folder: Path, environment: dict[str, str], url: str = "", grpc: str = "") -> str:
    """Runs a block; returns what it prints."""
    for program in ("curl", "grpcurl"):
        if re.search(rf"\b{program} ", block.code) and shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    code = block.code.replace("http://localhost:8080", url or "http://localhost:8080")
    code = code.replace("localhost:8081", grpc or "localhost:8081")
    command = [sys.executable, "-c", code] if block.language == "python" else ["bash", "-euc", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}\n{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("block", blocks_of("workspace"), ids=str)
def test_in_a_workspace(block: Block, workspace: Path, environment: dict[str, str]) -> None:
    output = execute(block, workspace, environment)
    CHECKS.get(block.name, lambda text: None)(output)


@pytest.mark.parametrize("block", blocks_of("predictor"), ids=str)
def test_with_a_predictor(
    block: Block, workspace: Path, predictor: Server, environment: dict[str, str]
) -> None:
    output = execute(block, workspace, environment, predictor.url, predictor.grpc)
    assert output.strip()
    CHECKS.get(block.name, lambda text: None)(output)


def check_v2(output: str) -> None:
    outputs = {tensor["name"]: tensor["data"] for tensor in json.loads(output)["outputs"]}
    assert set(outputs["labels"]) <= set(CLASSES)
    assert sum(outputs["probabilities"]) == pytest.approx(1, abs=1e-5)


def check_v1(output: str) -> None:
    (prediction,) = json.loads(output)["predictions"]
    assert prediction["label"] in CLASSES


def check_grpcurl(output: str) -> None:
    tensors = {tensor["name"]: tensor.get("contents", {}) for tensor in json.loads(output)["outputs"]}
    assert sum(tensors["probabilities"]["fp32Contents"]) == pytest.approx(1, abs=1e-5)


def check_label_and_score(output: str) -> None:
    label, score = output.split()[:2]
    assert label in CLASSES and 0 < float(score) <= 1


def check_versions(output: str) -> None:
    answers = [json.loads(part) for part in re.sub(r"([}\]])(?=[{\[])", r"\1\n", output).splitlines()]
    assert [answer["load"] for answer in answers[:2]] == [True, True]
    assert answers[2][0]["state"] == "READY"


CHECKS: dict[str, Callable[[str], None]] = {
    "v2": check_v2,
    "v1": check_v1,
    "grpcurl": check_grpcurl,
    "label and score": check_label_and_score,
    "versions": check_versions,
}


def test_every_named_check_is_there() -> None:
    named = [block for place in ("workspace", "predictor") for block in blocks_of(place) if block.name]
    assert {block.name for block in named} == set(CHECKS)
