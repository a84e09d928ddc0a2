"""The way in for V2 questions: straight to their handler.

kserve's timing middleware and FastAPI's routing cost half a millisecond of processor a request, as much as a
tenth of the model itself. Only ``POST /v2/models/M/infer`` takes this way; its handler is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class Front:
    """An ASGI application that answers one path itself.

    Args:
        app: Answers everything else.
        name: Of the model.
        infer: Answers the path; must not raise.
    """

    def __init__(self, app: ASGIApp, name: str, infer: Handler) -> None:
        self._app = app
        self._path = f"/v2/models/{name}/infer"
        self._parameters = {"name": name}
        self._infer = infer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["path_params"] = self._parameters
        response = await self._infer(Request(scope, receive))
        await response(scope, receive, send)
