"""The gRPC clients where nobody or a proxy answers; the real predictor is in tests/serving."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from phytoflow.client.grpc_client import AsyncGrpcClient, GrpcClient
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from tests.support.services.fake_predictor import FakePredictor


@pytest.fixture
def listener() -> socket.socket:
    """Somebody who accepts connections on this machine, and records who came."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)
    return server


def test_this_machine_is_not_asked_through_a_proxy(proxy: FakePredictor, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with GrpcClient(f"localhost:{port}", retries=0, timeout=0.5) as client, pytest.raises(ServingError):
        client.predict([b"x"])
    connection, _ = listener.accept()
    assert connection.recv(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # gRPC itself, no CONNECT
    assert proxy.lines == []


def test_a_proxy_in_between_is_named(proxy: FakePredictor) -> None:
    client = GrpcClient("leaf.example.com:80", retries=0, timeout=5)
    with client, pytest.raises(ServingError, match="cannot be reached") as caught:
        client.predict([b"x"])
    assert f"through the proxy {proxy.url}" in caught.value.message
    assert "add leaf.example.com to no_proxy" in caught.value.remedy


async def test_nobody_there() -> None:
    target = f"127.0.0.1:{free_port()}"
    with GrpcClient(target, retries=1) as client:
        with pytest.raises(ServingError, match="cannot be reached"):
            client.predict([b"x"])
        with pytest.raises(ServingError, match="cannot be reached"):
            client.metadata()
    async with AsyncGrpcClient(target, retries=1) as client:
        with pytest.raises(ServingError, match="cannot be reached"):
            await client.predict([b"x"])


@pytest.mark.parametrize("module", ["phytoflow.client", "phytoflow.client.grpc_client"])
def test_clients_need_no_server_and_no_training_stack(module: str) -> None:
    """What the package without extras, or with ``client-grpc``, does not bring."""
    absent = ["kserve", "fastapi", "onnxruntime", "torch", "pandas", "mlflow", "kfp", "kubernetes"]
    absent += [] if "grpc" in module else ["grpc", "google.protobuf"]
    code = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
