"""Addresses that REST and gRPC listen on."""

from __future__ import annotations

import errno
import logging
import socket
from typing import NamedTuple

from phytoflow.errors import ServingError
from phytoflow.system.ports import taken

_LOG = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "::1")
_ANY_IPV4, _ANY = "0.0.0.0", "::"
_BACKLOG = 2048  # uvicorn's own default


class Address(NamedTuple):
    """A local IP address.

    Attributes:
        family: ``socket.AF_INET`` or ``socket.AF_INET6``.
        ip: In text.
    """

    family: socket.AddressFamily
    ip: str

    def with_port(self, port: int) -> str:
        """``IP:PORT``, with an IPv6 address in brackets."""
        return f"[{self.ip}]:{port}" if self.family == socket.AF_INET6 else f"{self.ip}:{port}"


def resolve(host: str) -> list[Address]:
    """Resolves ``--host``.

    Args:
        host: ``localhost`` stands for both loopback addresses, ``::`` for every IPv4 and IPv6 address of the
            machine, ``0.0.0.0`` for every IPv4 address. On a machine without IPv6 its addresses are left out.

    Raises:
        ServingError: No such host.
    """
    has_ipv6 = _has_ipv6()
    if host == "localhost":  # not looked up: /etc/hosts often names one of the two only
        return [_address(ip) for ip in _LOOPBACK if has_ipv6 or ip != "::1"]
    if host == _ANY and not has_ipv6:
        _LOG.warning("--host :: listens on IPv4 only: this machine has no IPv6")
        host = _ANY_IPV4
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        remedy = "give localhost, 0.0.0.0, :: or an address of this machine"
        raise ServingError(f"--host {host} cannot be resolved: {error.strerror}", remedy=remedy) from error
    return list(dict.fromkeys(Address(family, str(place[0])) for family, _, _, _, place in found))


def listen(addresses: list[Address], port: int, option: str) -> list[socket.socket]:
    """Opens a listening socket on each address.

    Args:
        addresses: Where.
        port: TCP port of all of them.
        option: Where the port comes from, for the message.

    Raises:
        ServingError: The port is in use, or an address is none of this machine.
    """
    sockets: list[socket.socket] = []
    for address in addresses:
        try:
            sockets.append(_listen(address, port))
        except OSError as error:
            for opened in sockets:
                opened.close()
            raise _error(error, address, port, option) from error
    return sockets


def check_free(addresses: list[Address], port: int, option: str) -> None:
    """Refuses a port that is in use: gRPC would share it with another gRPC server without a word."""
    for opened in listen(addresses, port, option):
        opened.close()


def _listen(address: Address, port: int) -> socket.socket:
    opened = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        if address.family == socket.AF_INET6:
            # ``::`` takes IPv4 connections too, whatever the system's default is.
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address.ip != _ANY))
        opened.bind((address.ip, port))
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _error(error: OSError, address: Address, port: int, option: str) -> ServingError:
    if error.errno == errno.EADDRNOTAVAIL:
        remedy = "give localhost, 0.0.0.0, :: or an address of this machine"
        return ServingError(f"--host {address.ip} is no address of this machine", remedy=remedy)
    why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
    return taken(port, option, why)


def _has_ipv6() -> bool:
    """Whether IPv6 works here: a kernel can be built for it and have it turned off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _address(ip: str) -> Address:
    return Address(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
