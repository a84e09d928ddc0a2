"""TCP ports of this machine."""

from __future__ import annotations

import errno
import socket

from phytoflow.errors import ServingError


def free_port() -> int:
    """A port on which nothing listens at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def check_free(port: int, what: str) -> None:
    """Makes sure that a server can listen on a port.

    A gRPC server would silently share its port with another gRPC server, so the port is tried first.

    Args:
        port: The port.
        what: The setting that names it, for the message.

    Raises:
        ServingError: The port is in use, or this user may not listen on it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT counts as free
        try:
            probe.bind(("", port))
            probe.listen(1)
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise taken(port, what, why) from error


def taken(port: int, what: str, why: str = "is in use") -> ServingError:
    """The error for a port that cannot be used."""
    remedy = "choose another, or 0 for a free one; stop what listens there if it is an old predictor"
    return ServingError(f"{what} {port} {why}", remedy=remedy)
