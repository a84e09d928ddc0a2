"""Start, metrics, and an orderly end."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from phytoflow.client.rest_client import AsyncClient
from phytoflow.client.rest_codec import encode
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from serving.predictor.observability import metrics
from serving.predictor.options import Options
from serving.predictor.transport.byte_budget import ByteBudget
from serving.predictor.transport.grpc.server import PhotoGrpcServer
from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.servers import ROOT, Server, start

METRICS = ROOT / "docs" / "reference" / "metrics.md"


def test_every_metric_of_the_table_is_exported_and_no_other(server: Server) -> None:
    httpx.post(f"{server.model}/infer", content=b"nonsense")
    httpx.post(f"{server.model}/infer", content=encode([pictures(1)[0].content], None)[0])
    table = _table()
    exported = dict(re.findall(r"^# TYPE (\S+) (\w+)$", httpx.get(f"{server.url}/metrics").text, re.M))
    documented = {name for name in table if not name.startswith("process_")} - {"gpu_memory_bytes"}
    assert exported.keys() - _others(set(exported)) - {"gpu_memory_bytes"} == documented
    for name in table.keys() & exported.keys():
        assert table[name] == exported[name], name


def test_gpu_memory_is_told_where_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GPUs, made up: the machines that test have none."""
    held = {0: 5_000_000, 1: 7}
    cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 2, memory_reserved=held.__getitem__
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    (family,) = metrics.GpuMemory().collect()
    assert {sample.labels["device"]: sample.value for sample in family.samples} == {"0": 5_000_000, "1": 7}
    cuda.is_available = lambda: False
    assert list(metrics.GpuMemory().collect()) == []


def _table() -> dict[str, str]:
    """Name to kind, as the document has them."""
    return dict(re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", METRICS.read_text(), re.M))


def test_metrics_count_what_happened(server: Server) -> None:
    def value(name: str) -> float:
        found = re.findall(
            rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", httpx.get(f"{server.url}/metrics").text, re.M
        )
        return sum(map(float, found))

    names = (
        "predictions_total",
        'prediction_errors_total{code="4xx",reason="malformed"}',
        "prediction_confidence_count",
    )
    before = [value(name) for name in names]
    body = {"instances": [b64encode(pictures(1)[0].content).decode()] * 3}
    assert httpx.post(f"{server.url}/v1/models/leaf:predict", json=body).status_code == 200
    httpx.post(f"{server.url}/v1/models/leaf:predict", json={"instances": []})
    assert [value(name) for name in names] == [before[0] + 3, before[1] + 1, before[2] + 3]
    assert value("active_prediction_requests") == 0
    labels = set(re.findall(r'predictions_total\{class="([^"]+)"', httpx.get(f"{server.url}/metrics").text))
    assert labels <= set(CLASSES)


def test_a_request_refused_before_the_model_is_counted_once(server: Server) -> None:
    def count() -> float:
        text = httpx.get(f"{server.url}/metrics").text
        return float(re.findall(r'prediction_errors_total{code="4xx",reason="malformed"} (\S+)', text)[0])

    httpx.post(f"{server.model}/infer", content=b"nonsense")
    before = count()
    httpx.post(f"{server.model}/infer", content=b"nonsense")
    assert count() == before + 1


def test_requests_are_logged_as_json_without_photos(server: Server) -> None:
    photo = pictures(1)[0].content
    tensor = {"name": "x", "shape": [1], "datatype": "BYTES", "data": [b64encode(photo).decode()]}
    httpx.post(f"{server.model}/infer", json={"id": "find-me", "inputs": [tensor]})
    httpx.post(f"{server.model}/infer", json={"id": "find-me-too", "inputs": [tensor | {"data": []}]})
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    line = next(line for line in lines if line.get("request_id") == "find-me")
    assert (line["outcome"], line["photos"], line["bytes"]) == ("answered", 1, len(photo))
    assert {"version", "milliseconds", "time", "level"} <= line.keys()
    refused = next(line for line in lines if line.get("request_id") == "find-me-too")
    assert (refused["outcome"], refused["photos"]) == ("malformed", 0)


async def test_told_to_stop_it_finishes_what_it_has(bundle: Path, tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, bundle, tmp_path / "log", max_queue_size=5000)
    photos = [photo.content for photo in pictures(8)] * 2
    async with AsyncClient(server.url, retries=0, timeout=60) as client:
        asked = [asyncio.create_task(client.predict(photos)) for _ in range(40)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        server.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*asked, return_exceptions=True)
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    assert not failed, failed[0]
    assert all(len(answer) == 16 for answer in answers if isinstance(answer, list))
    assert await asyncio.to_thread(server.process.wait, 30) == 0, server.log.read_text()


def test_a_taken_port_is_said_at_once(bundle: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        done = _run("--bundle", str(bundle), "--http_port", str(taken.getsockname()[1]), "--grpc_port", "0")
    assert done.returncode == 11
    assert "is in use" in done.stderr


def test_a_damaged_bundle_does_not_start(bundle: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(bundle, tmp_path / "bundle")
    with (damaged / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"other bytes")
    done = _run("--bundle", str(damaged), "--http_port", "0", "--grpc_port", "0")
    assert done.returncode == 7
    assert "model.onnx" in done.stderr


def test_one_port_for_both_is_refused(bundle: Path) -> None:
    port = str(free_port())
    done = _run("--bundle", str(bundle), "--http_port", port, "--grpc_port", port)
    assert done.returncode == 11
    assert f"--grpc_port {port} is --http_port, too" in done.stderr


async def test_a_grpc_port_that_was_taken_meanwhile_is_not_shared() -> None:
    server: Any = SimpleNamespace(dataplane=None, model_repository_extension=None)
    model: Any = SimpleNamespace()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as gRPC's own sockets do
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        grpc = PhotoGrpcServer([f"127.0.0.1:{port}"], server, model, Options("bundle"), ByteBudget(1))
        with pytest.raises(ServingError, match=f"--grpc_port {port} is in use"):
            await asyncio.wait_for(grpc.start(1), 10)


@pytest.mark.parametrize("option", ["--runtime=tflite", "--inference_threads=-1", "--max_batch_size=many"])
def test_a_wrong_option_is_a_usage_error(option: str) -> None:
    done = _run("--bundle", "x", option)
    assert done.returncode == 2
    assert option.split("=")[0] in done.stderr


def test_the_predictor_loads_neither_torch_nor_kubernetes(server: Server) -> None:
    """Its memory maps tell which compiled libraries it holds."""
    code = (
        "import sys; sys.argv = ['x']; from serving.predictor.lean_imports import skip_unused_imports\n"
        "with skip_unused_imports():\n"
        "    import kserve\n"
        "    import serving.predictor.transport.grpc.servicer, serving.predictor.transport.rest.endpoints\n"
        "assert not {'kubernetes', 'torch', 'mlflow', 'kfp', 'pandas'} & set(sys.modules)\n"
        "assert 'phytoflow.client' not in sys.modules\n"  # or it would keep a placeholder for httpx
        "import pandas; pandas.DataFrame([1])\n"  # a later import gets the real one
        "import phytoflow.client; phytoflow.client.Client('http://localhost').close()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_liveness_is_quick_while_photos_are_run(server: Server) -> None:
    async def ask() -> float:
        photos = [photo.content for photo in pictures(8)] * 10
        async with AsyncClient(server.url) as client, httpx.AsyncClient() as http:
            work = asyncio.create_task(client.predict(photos))
            slowest = 0.0
            while not work.done():
                begun = time.perf_counter()
                assert (await http.get(f"{server.url}/v2/health/live")).status_code == 200
                slowest = max(slowest, time.perf_counter() - begun)
            await work
        return slowest

    assert asyncio.run(ask()) < 1.0


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving.predictor", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def _others(exported: set[str]) -> set[str]:
    """Python's and kserve's own, and the creation times the client library adds."""
    kserves = {f"request_{step}_seconds" for step in ("preprocess", "predict", "postprocess", "explain")}
    created = {name for name in exported if name.endswith("_created")}
    return created | kserves | {name for name in exported if name.startswith(("python_", "process_"))}
