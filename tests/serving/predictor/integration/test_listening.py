"""Which addresses the predictor listens on, and what an anonymous caller may change by default."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from tests.support.services.servers import Server, running

LOOPBACK = {"127.0.0.1", "::1"} if socket.has_ipv6 and Path("/proc/net/if_inet6").exists() else {"127.0.0.1"}
needs_ipv6 = pytest.mark.skipif("::1" not in LOOPBACK, reason="this machine has no IPv6")


def listening(server: Server) -> set[str]:
    """Local addresses of all listening sockets of the process."""
    connections = psutil.Process(server.process.pid).connections("inet")
    # gRPC opens an IPv4 address as ::ffff:ADDRESS, which takes IPv4 only.
    return {
        each.laddr.ip.removeprefix("::ffff:") for each in connections if each.status == psutil.CONN_LISTEN
    }


@pytest.fixture(scope="module")
def default(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(bundle, tmp_path_factory.mktemp("default") / "log") as made:
        yield made


def test_by_default_only_this_machine_is_answered(default: Server) -> None:
    assert listening(default) == LOOPBACK


@needs_ipv6
def test_by_default_rest_and_grpc_answer_over_ipv6_too(default: Server) -> None:
    port = default.url.rpartition(":")[2]
    assert httpx.get(f"http://[::1]:{port}/v2/health/live").status_code == 200
    with grpc.insecure_channel(f"[::1]:{default.grpc.rpartition(':')[2]}") as channel:
        assert stubs.GRPCInferenceServiceStub(channel).ServerLive(pb.ServerLiveRequest(), timeout=10).live


@pytest.mark.parametrize("action", ["load", "unload"])
def test_by_default_nobody_can_change_the_version(default: Server, action: str) -> None:
    answer = httpx.post(f"{default.url}/v2/repository/models/leaf/{action}")
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_allowed")
    assert "--model_control_mode=explicit" in answer.json()["error"]
    assert httpx.get(f"{default.model}/ready").status_code == 200


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("0.0.0.0", {"0.0.0.0", "::"}),  # "::" is gRPC's, which opens both wildcards
        pytest.param("::", {"::"}, marks=needs_ipv6),
        ("127.0.0.1", {"127.0.0.1"}),
    ],
)
def test_host_says_where_it_listens(bundle: Path, tmp_path: Path, host: str, addresses: set[str]) -> None:
    with running(bundle, tmp_path / "log", host=host) as server:
        assert listening(server) == addresses
        assert httpx.get(f"{server.model}/ready").status_code == 200  # over IPv4
        if host == "::":
            port = server.url.rpartition(":")[2]
            assert httpx.get(f"http://[::1]:{port}/v2/health/live").status_code == 200
