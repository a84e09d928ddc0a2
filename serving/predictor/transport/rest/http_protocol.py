"""Chooses the HTTP protocol class that uvicorn runs: the fast path, or uvicorn's own."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http import httptools_impl

from serving.predictor.transport.rest.endpoints import RestEndpoints

_LOG = logging.getLogger(__name__)
HttpProtocol = Callable[..., Any] | str
"""What ``uvicorn.Config`` takes as ``http``."""

PLAIN = (
    "h11"  # uvicorn's other protocol: slower, but it too reads the body of a request with an Upgrade header
)

# What the fast path overrides, with parameters, and what it calls.
_METHODS = {
    "data_received": ["self", "data"],
    "on_message_begin": ["self"],
    "on_headers_complete": ["self"],
    "on_body": ["self", "body"],
    "on_message_complete": ["self"],
    "on_response_complete": ["self"],
    "connection_lost": ["self", "exc"],
    "send_400_response": ["self", "msg"],
    "_unset_keepalive_if_required": ["self"],
}
# What __init__ sets and the fast path reads or sets.
_ATTRIBUTES = {"parser", "transport", "flow", "loop", "tasks", "server_state", "cycle", "headers", "logger"}
_ATTRIBUTES |= {"expect_100_continue"}


def choose_http_protocol(rest: RestEndpoints) -> HttpProtocol:
    """Returns the fast path if uvicorn's protocol class is as it expects, otherwise uvicorn's plain ASGI."""
    if missing := find_mismatch():
        text = "uvicorn %s: %s; requests take the slower path through ASGI"
        _LOG.warning(text, uvicorn.__version__, missing)
        return PLAIN
    from serving.predictor.transport.rest.fast_path import InferFastPath

    return partial(InferFastPath, rest)


def find_mismatch() -> str:
    """Says what the fast path misses in ``HttpToolsProtocol``, a private class; empty if nothing."""
    protocol = getattr(httptools_impl, "HttpToolsProtocol", None)
    if protocol is None or not hasattr(httptools_impl, "STATUS_LINE"):
        return "it has no HttpToolsProtocol or STATUS_LINE"
    for name, expected in _METHODS.items():
        method = getattr(protocol, name, None)
        if method is None or list(inspect.signature(method).parameters) != expected:
            return f"HttpToolsProtocol.{name} is missing or has other parameters"
    set_by_init = set(protocol.__init__.__code__.co_names)
    if missing := sorted(_ATTRIBUTES - set_by_init):
        return f"HttpToolsProtocol sets no attribute {missing[0]}"
    return ""
