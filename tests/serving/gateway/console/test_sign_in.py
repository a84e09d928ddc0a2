"""Sign-in by a one-time link: from which addresses it works."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from serving.gateway.console.sign_in import _may_use_links
from serving.gateway.settings import AuthSettings

LOOPBACK = AuthSettings().link_networks


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("127.0.0.1", LOOPBACK, True),
        ("::1", LOOPBACK, True),
        ("::ffff:127.0.0.1", LOOPBACK, True),  # an IPv4 client of a socket for both families
        ("192.0.2.7", LOOPBACK, False),
        ("::ffff:192.0.2.7", LOOPBACK, False),
        ("172.18.0.1", ("172.16.0.0/12",), True),
        ("testclient", LOOPBACK, False),
    ],
)
def test_links_work_from_the_networks_of_the_settings(
    address: str, networks: tuple[str, ...], expected: bool
) -> None:
    request = Request({"type": "http", "client": (address, 50000)})
    assert _may_use_links(request, networks) is expected


def test_without_a_client_address_links_do_not_work() -> None:
    assert not _may_use_links(Request({"type": "http", "client": None}), LOOPBACK)
