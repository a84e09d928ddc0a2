"""The examples of docs/serving.md, run as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.support.make_bundle import CLASSES, pictures
from tests.support.servers import ROOT, Server, start

PROTO = ROOT / "serving" / "predictor" / "transport" / "grpc" / "inference.proto"


@pytest.fixture(scope="module")
def served(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(bundle, root / "apple" / "2")
    server = start(
        bundle, root / "log", bundle_repository=root, model_name="leaf", model_control_mode="explicit"
    )
    yield server
    server.process.terminate()
    assert server.process.wait(60) == 0


def run(name: str, served: Server, folder: Path) -> str:
    """Output of the code block after ``<!-- test: name -->``, in a folder with a leaf and the checkout."""
    text = (ROOT / "docs" / "serving.md").read_text()
    found = re.search(rf"<!-- test: {name} -->\n```(\w*)\n(.*?)```", text, re.DOTALL)
    assert found, name
    code = found[2].replace("http://localhost:8080", served.url).replace("localhost:8081", served.grpc)
    (folder / "leaf.jpg").write_bytes(pictures()[0].content)
    (folder / "serving").symlink_to(ROOT / "serving")
    command = [sys.executable, "-c", code] if found[1] == "python" else ["bash", "-ec", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("name", "labels"), [("curl v2", 2), ("curl binary", 3)])
def test_curl(name: str, labels: int, served: Server, tmp_path: Path) -> None:
    answer = json.loads(run(name, served, tmp_path))
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    assert len(found["labels"]) == labels
    assert set(found["labels"]) <= set(CLASSES)
    assert sum(found["probabilities"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_v1(served: Server, tmp_path: Path) -> None:
    (row,) = json.loads(run("curl v1", served, tmp_path))["predictions"]
    assert row["label"] in CLASSES


@pytest.mark.skipif(shutil.which("grpcurl") is None, reason="grpcurl is not installed")
def test_grpcurl(served: Server, tmp_path: Path) -> None:
    answer = json.loads(run("grpcurl", served, tmp_path))
    names = [output["name"] for output in answer["outputs"]]
    assert {"probabilities", "labels"} <= set(names)
    contents = answer["outputs"][names.index("probabilities")]["contents"]["fp32Contents"]
    assert sum(contents) == pytest.approx(1, abs=1e-5)


def test_python(served: Server, tmp_path: Path) -> None:
    classes, rest, rpc = run("python", served, tmp_path).splitlines()
    assert classes == str(list(CLASSES))
    assert rest.split()[0] in CLASSES
    assert sum(json.loads(rpc.replace("(", "[").replace(")", "]"))) == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_versions(served: Server, tmp_path: Path) -> None:
    text = run("versions", served, tmp_path)
    answers = [json.loads(part) for part in re.sub(r"([}\]])(?=[{\[])", r"\1\n", text).splitlines()]
    assert [answer["load"] for answer in answers[:2]] == [True, True]
    assert answers[2][0]["state"] == "READY"
    assert answers[3] == {"name": "leaf", "unload": True}
    # for the examples that may come after
    subprocess.run(["curl", "-sf", "-X", "POST", f"{served.url}/v2/repository/models/leaf/load"], check=True)


def test_the_proto_file_has_the_numbers_of_the_messages() -> None:
    """Field by field against kserve's; ``properties`` is the open protocol's, which kserve lacks."""
    scope: list[str] = []
    checked = 0
    for line in PROTO.read_text().splitlines():
        if opened := re.match(r"\s*(message|oneof|service) (\w+) {(})?", line):
            scope += [] if opened[3] else [opened[2] if opened[1] == "message" else ""]
        elif line.strip() == "}":
            scope.pop()
        elif field := re.match(r"\s*(?:repeated )?[\w<>, ]+ (\w+) = (\d+);", line):
            descriptor = pb
            for name in filter(None, scope):
                descriptor = getattr(descriptor, name)
            if field[1] != "properties":
                assert descriptor.DESCRIPTOR.fields_by_name[field[1]].number == int(field[2]), line
                checked += 1
    assert checked > 40


def test_explain(served: Server, tmp_path: Path) -> None:
    label, most = run("explain", served, tmp_path).split()
    assert label in CLASSES
    assert 0 < float(most) <= 1
