"""The README's own examples, run as they are printed, against the predictor it starts."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from phytoflow.system.ports import free_port
from tests.support.make_bundle import CLASSES, pictures

README = Path(__file__).resolve().parents[1] / "README.md"


def example(name: str) -> str:
    """The code block after ``<!-- test: name -->``."""
    found = re.search(rf"<!-- test: {name} -->\n```\w*\n(.*?)```", README.read_text(), re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def url(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    http, grpc = free_port(), free_port()
    command = [sys.executable, "-m", "phytoflow.cli", "serve", "--bundle", str(bundle), "--runtime", "onnx"]
    command += ["--http-port", str(http), "--grpc-port", str(grpc)]
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=log.parent)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{http}/v2/models/leaf/ready").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    assert process.poll() is None, log.read_text()
    yield f"http://127.0.0.1:{http}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()


@pytest.fixture
def leaf(tmp_path: Path) -> Path:
    (tmp_path / "leaf.jpg").write_bytes(pictures()[0].content)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_ask_with_curl(url: str, leaf: Path) -> None:
    code = example("ask with curl").replace("http://localhost:8080", url)
    done = subprocess.run(["bash", "-c", code], cwd=leaf, capture_output=True, text=True, check=True)
    assert '"probabilities"' in done.stdout and any(name in done.stdout for name in CLASSES)


def test_ask_with_python(url: str, leaf: Path) -> None:
    code = example("ask with python").replace("http://localhost:8080", url)
    done = subprocess.run([sys.executable, "-c", code], cwd=leaf, capture_output=True, text=True, check=True)
    label, score = done.stdout.split()
    assert label in CLASSES and 1 / len(CLASSES) < float(score) <= 1


def test_ask_with_the_command(url: str, leaf: Path) -> None:
    command = [sys.executable, "-m", "phytoflow.cli", "predict", "leaf.jpg", "--url", url]
    done = subprocess.run(command, cwd=leaf, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.startswith("leaf.jpg: ")
