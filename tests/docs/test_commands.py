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
from tests.support.services.gateway import RunningGateway
from tests.support.services.servers import Server


def execute(
    block: Block,
    folder: Path,
    environment: dict[str, str],
    url: str = "",
    grpc: str = "",
    gateway: str = "",
) -> str:
    """Runs a block; returns what it prints."""
    if block.language == "js" and shutil.which("node") is None:
        pytest.skip("node is not installed")
    for program in ("curl", "grpcurl"):
        if re.search(rf"\b{program} ", block.code) and shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    code = block.code.replace("http://localhost:8080", url or "http://localhost:8080")
    code = code.replace("localhost:8081", grpc or "localhost:8081")
    code = code.replace("http://localhost:8000", gateway or "http://localhost:8000")
    commands = {
        "python": [sys.executable, "-c", code],
        "js": ["node", "--input-type=module", "-e", code],
    }
    command = commands.get(block.language, ["bash", "-euc", code])
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


@pytest.mark.parametrize("block", blocks_of("gateway"), ids=str)
def test_with_a_gateway(
    block: Block, workspace: Path, gateway: RunningGateway, environment: dict[str, str]
) -> None:
    (workspace / "stack").symlink_to(gateway.directory)
    (workspace / "token").write_text(gateway.token("anna"))
    (workspace / "review.token").write_text(gateway.token("rita", "review"))
    output = execute(block, workspace, environment, gateway=gateway.url)
    assert output.strip()
    CHECKS.get(block.name, lambda text: None)(output)


def check_prediction(output: str) -> None:
    answer = json.loads(output)
    assert answer["prediction"] in CLASSES and len(answer["top"]) == 2


def check_batch(output: str) -> None:
    assert len(json.loads(output)["predictions"]) == 2


def check_feedback(output: str) -> None:
    assert json.loads(output)["corrected_label"] == "rust"


def check_collected(output: str) -> None:
    assert "0 accepted photos" in output and "provenance.csv" in output


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
    "prediction": check_prediction,
    "batch": check_batch,
    "feedback": check_feedback,
    "collected": check_collected,
}


def test_every_named_check_is_there() -> None:
    named = [
        block for place in ("workspace", "predictor", "gateway") for block in blocks_of(place) if block.name
    ]
    assert {block.name for block in named} == set(CHECKS)
