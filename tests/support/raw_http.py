"""Responses read from a raw connection."""

from __future__ import annotations

import socket
from typing import NamedTuple


class RawResponse(NamedTuple):
    """A response and what came behind it.

    Attributes:
        status: HTTP status.
        headers: By name in lower case.
        body: The body.
        rest: Bytes received behind the body.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes


def receive(connection: socket.socket, begun: bytes = b"") -> RawResponse:
    """Reads one response with a Content-Length; ``begun`` was received before."""
    data = begun
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    size = int(headers["content-length"])
    while len(rest) < size:
        rest += connection.recv(65536)
    return RawResponse(int(status.split()[1]), headers, rest[:size], rest[size:])
