"""Hosts that are never asked through a proxy, against what libraries make of the environment."""

import os

import pytest
import requests

from phytoflow.protocol.proxies import exempt_direct_hosts, grpc_proxy_of, http_proxy_of, is_direct

PROXY = "http://user:secret@proxy.example.com:3128"


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
        monkeypatch.setenv(name.upper(), PROXY)
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "grpc_proxy", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.setenv(name, "")  # so that what the code sets is undone, too
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "[::1]",
        "fe80::1%eth0",
        "10.96.0.1",
        "172.20.3.4",
        "192.168.1.7",
        "100.64.0.9",
        "fd00::7",
        "leaf-predictor",
        "leaf-predictor.plants.svc",
        "leaf-predictor.plants.svc.cluster.local",
        "leaf-predictor.plants.svc.my.domain",
        "node.cluster.local",
    ],
)
def test_the_machine_and_the_cluster_are_reached_directly(host: str) -> None:
    assert is_direct(host)
    assert http_proxy_of(f"http://{host if ':' not in host or '[' in host else f'[{host}]'}:8080") is None
    assert grpc_proxy_of(host) is None


@pytest.mark.parametrize(
    "host", ["example.com", "svc.example.com", "8.8.8.8", "2606:4700::1111", "cluster.local.example.com"]
)
def test_others_go_through_the_proxy_whose_password_is_not_told(host: str) -> None:
    assert not is_direct(host)
    url = f"https://{f'[{host}]' if ':' in host else host}/v2"
    assert http_proxy_of(url) == grpc_proxy_of(host) == "http://proxy.example.com:3128"


def test_no_proxy_of_the_user_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", ".example.com")
    assert http_proxy_of("http://leaf.example.com") is None
    assert grpc_proxy_of("leaf.example.com") is None


def test_libraries_that_read_the_environment_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example.com")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "34.118.224.1")
    assert _proxies("http://127.0.0.1:5000")
    exempt_direct_hosts()
    direct = ["127.0.0.1:5000", "localhost", "mlflow.tracking.svc", "mlflow.a.svc.cluster.local"]
    for host in [*direct, "34.118.224.1", "intranet.example.com"]:
        assert not _proxies(f"http://{host}"), host
    assert _proxies("http://mlflow.example.com")["http"] == PROXY


def test_an_environment_without_a_proxy_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name)
    exempt_direct_hosts()
    assert "no_proxy" not in os.environ


def _proxies(url: str) -> dict[str, str]:
    return dict(requests.utils.get_environ_proxies(url))
