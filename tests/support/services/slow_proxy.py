"""A TCP proxy that delays what clients send: a predictor that is slow, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit


@contextlib.contextmanager
def slow_proxy(url: str, seconds: float) -> Iterator[str]:
    """Forwards to a server.

    Args:
        url: The server.
        seconds: Delay of each piece that a client sends.

    Yields:
        The proxy's URL.
    """
    target = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = (str(target.hostname), int(target.port or 80))
        threading.Thread(target=_accept, args=(listener, address, seconds), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _accept(listener: socket.socket, address: tuple[str, int], seconds: float) -> None:
    with contextlib.suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(address)
            for source, sink, delay in ((client, server, seconds), (server, client, 0.0)):
                threading.Thread(target=_forward, args=(source, sink, delay), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket, seconds: float) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            time.sleep(seconds)
            sink.sendall(piece)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
