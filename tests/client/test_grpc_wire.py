"""Targets that are accepted and refused."""

import pytest

from phytoflow.client.grpc_wire import GrpcWire
from phytoflow.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("localhost:8081", "localhost:8081"),
        ("http://localhost:8081/", "localhost:8081"),
        ("grpc://leaf.example.com:80", "leaf.example.com:80"),
        ("[::1]:8081", "[::1]:8081"),
    ],
)
def test_a_scheme_may_stand_before_the_target(given: str, target: str) -> None:
    assert GrpcWire(given, "leaf").target == target


@pytest.mark.parametrize(
    "given", ["", "localhost", "https://leaf.example.com:443", ":8081", "localhost:port"]
)
def test_what_is_no_target_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="no host and port") as caught:
        GrpcWire(given, "leaf")
    assert repr(given) in caught.value.message


@pytest.mark.parametrize(
    ("target", "uses"), [("10.96.0.7:80", 0), ("leaf.plants.svc:80", 0), ("8.8.8.8:80", 1)]
)
def test_the_cluster_is_reached_without_a_proxy(target: str, uses: int) -> None:
    assert dict(GrpcWire(target, "leaf").options)["grpc.enable_http_proxy"] == uses
