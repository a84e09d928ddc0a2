"""Names of addresses, and sockets on them."""

from __future__ import annotations

import socket

import pytest

from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from serving.predictor.transport import addresses
from serving.predictor.transport.addresses import Address, check_free, listen, resolve

IPV4_LOOPBACK = Address(socket.AF_INET, "127.0.0.1")
IPV6_LOOPBACK = Address(socket.AF_INET6, "::1")


@pytest.fixture(params=[True, False], ids=["IPv6", "no IPv6"])
def has_ipv6(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(addresses, "_has_ipv6", lambda: request.param)
    return bool(request.param)


def test_localhost_is_every_loopback_address(has_ipv6: bool) -> None:
    assert resolve("localhost") == ([IPV4_LOOPBACK, IPV6_LOOPBACK] if has_ipv6 else [IPV4_LOOPBACK])


def test_everywhere_is_ipv4_only_where_there_is_no_ipv6(has_ipv6: bool) -> None:
    (address,) = resolve("::")
    assert address == (Address(socket.AF_INET6, "::") if has_ipv6 else Address(socket.AF_INET, "0.0.0.0"))


@pytest.mark.parametrize(("host", "text"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
def test_an_address_is_taken_as_given(host: str, text: str) -> None:
    (address,) = resolve(host)
    assert address.with_port(80) == text


def test_an_unknown_host_is_refused_by_name() -> None:
    with pytest.raises(ServingError, match=r"--host no\.such\.host\.invalid cannot be resolved") as caught:
        resolve("no.such.host.invalid")
    assert "localhost" in caught.value.remedy


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ServingError, match=r"--host 192\.0\.2\.1 is no address of this machine"):
        listen(resolve("192.0.2.1"), free_port(), "--http_port")


def test_a_port_in_use_is_named_and_nothing_stays_open() -> None:
    with socket.socket(socket.AF_INET6) as other:
        try:
            other.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServingError, match=f"--grpc_port {port} is in use"):
            check_free([IPV4_LOOPBACK, IPV6_LOOPBACK], port, "--grpc_port")
        check_free([IPV4_LOOPBACK], port, "--grpc_port")  # the first socket was closed


def test_the_sockets_take_connections() -> None:
    port = free_port()
    (listening,) = listen([IPV4_LOOPBACK], port, "--http_port")
    with listening, socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
