"""Around every request: its id, its metrics, the security headers, and the bound on bytes in progress."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gateway.metrics import IN_PROGRESS, PROBLEMS, REQUEST_SECONDS, REQUESTS
from serving.gateway.problems import ProblemError, problem_response

_LOG = logging.getLogger("phytoflow.gateway")
_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_CLOSE = (b"connection", b"close")
_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class RequestMiddleware:
    """Plain ASGI: Starlette's own base class for middleware costs half a millisecond a request.

    Args:
        app: The application.
        max_in_flight_bytes: Announced bytes of all requests in progress, beyond which more are refused.
        https: Whether browsers are to come back by https only.
    """

    def __init__(self, app: ASGIApp, max_in_flight_bytes: int, *, https: bool = False) -> None:
        self._app, self._most, self._bytes = app, max_in_flight_bytes, 0
        self._headers = list(_SECURITY)
        if https:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else str(uuid.uuid4())
        scope.setdefault("state", {}).update(request_id=request_id, started=time.perf_counter())
        length = headers.get("content-length", "0")
        size = int(length) if length.isdigit() else 0
        with IN_PROGRESS.track_inprogress():
            await self._measured(scope, receive, send, request_id, size)

    async def _measured(self, scope: Scope, receive: Receive, send: Send, request_id: str, size: int) -> None:
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(raw=message["headers"]).setdefault("X-Request-Id", request_id)
                message["headers"] += [
                    pair for pair in self._headers if pair[0] not in dict(message["headers"])
                ]
                if _is_draining(scope):
                    message["headers"].append(_CLOSE)
            await send(message)

        try:
            await self._bounded(scope, receive, send_with_headers, request_id, size)
        finally:
            self._count(scope, status)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, request_id: str, size: int) -> None:
        if self._bytes + size > self._most:
            problem = self._refusal(size)
            scope["state"]["reason"] = problem.reason
            await problem_response(problem, request_id)(scope, receive, send)
            return
        self._bytes += size
        held = size

        async def receive_counted() -> Message:
            """A body without an announced length is counted as it comes."""
            nonlocal held
            message = await receive()
            if not size and (more := len(message.get("body", b""))):
                held += more
                self._bytes += more
                if self._bytes > self._most:
                    raise self._refusal(held)
            return message

        try:
            await self._app(scope, receive_counted, send)
        except Exception:
            _LOG.exception("request %s failed", request_id)
            problem = ProblemError(500, "internal_error", "something unforeseen went wrong; it was logged")
            scope["state"]["reason"] = problem.reason
            await problem_response(problem, request_id)(scope, receive, send)
        finally:
            self._bytes -= held

    def _refusal(self, size: int) -> ProblemError:
        if size > self._most:
            detail = f"requests may have at most {self._most} bytes"
            return ProblemError(413, "too_large", detail, remedy="send fewer photos at once")
        detail, headers = "too many bytes are in progress", {"Retry-After": "1"}
        return ProblemError(503, "overloaded", detail, remedy="try again", headers=headers)

    def _count(self, scope: Scope, status: int) -> None:
        route = _template(scope)
        REQUESTS.labels(route, scope["method"] if scope["method"] in _METHODS else "other", str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - scope["state"]["started"])
        if status >= 400:
            PROBLEMS.labels(str(scope["state"].get("reason", "other")), f"{status // 100}xx").inc()


def _is_draining(scope: Scope) -> bool:
    """Whether the process is about to end: a client should open its next connection to another replica."""
    services = getattr(scope["app"].state, "services", None)
    return services is not None and services.draining


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _template(scope: Scope) -> str:
    """The route's template: a raw path would make a time series of every id."""
    if "route" not in scope:
        return "unmatched"
    template = str(scope["route"].path)  # without the prefix under which its router was included
    segments = str(scope["path"]).split("/")
    return "/".join(segments[: len(segments) - template.count("/")]) + template
