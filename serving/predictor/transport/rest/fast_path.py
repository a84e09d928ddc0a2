"""V2 infer requests without ASGI.

Between two batches the CPU caches are cold, so that each object which a request touches costs several times
what a profile of the server alone shows: ASGI's scope, events and messages, Starlette's request and response
and kserve's middleware together cost about a tenth of a photo. ``POST /v2/models/M/infer`` does without
them. The protocol collects the body, one task handles it, one write sends the response. All other requests,
and infer requests that are unusual (pipelined, compressed, waiting for 100-continue), go through uvicorn to
FastAPI, where the same handler answers them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from serving.predictor.errors import RequestError, client_disconnected
from serving.predictor.observability.metrics import count_error
from serving.predictor.transport.rest.body import RequestBody
from serving.predictor.transport.rest.endpoints import RestEndpoints
from serving.predictor.transport.rest.responses import HttpResponse, error_response
from serving.predictor.transport.rest.upgrade import UpgradeIgnoringProtocol


class FastPathRequest:
    """Takes the place of uvicorn's ``RequestResponseCycle`` and has the attributes that uvicorn reads of it.

    Args:
        headers: Headers as received, names in lower case.
        body: Collects the body.
        keep_alive: Whether the connection stays open afterwards.

    Attributes:
        headers: By name in lower case.
        body: The body so far.
        keep_alive: uvicorn sets it to False when the server shuts down.
        response_complete: Whether the response was sent.
        task: Handles the request once its body is complete.
    """

    def __init__(self, headers: list[tuple[bytes, bytes]], body: RequestBody, keep_alive: bool) -> None:
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        self._disconnected = False
        self.body, self.keep_alive, self.response_complete = body, keep_alive, False
        self.task: asyncio.Task[None] | None = None

    @property
    def message_event(self) -> FastPathRequest:
        """This object: uvicorn calls its ``set`` on a disconnect, after setting ``disconnected``."""
        return self

    def set(self) -> None:
        """See ``message_event``."""

    @property
    def disconnected(self) -> bool:
        """Whether the client has disconnected."""
        return self._disconnected

    @disconnected.setter
    def disconnected(self, value: bool) -> None:
        self._disconnected = value
        if self.task is not None:
            self.task.cancel()
        else:
            self.body.release()
            count_error(client_disconnected())


class InferFastPath(UpgradeIgnoringProtocol):
    """A client's connection.

    A ``FastPathRequest`` stands where uvicorn keeps its request-response cycle, so that uvicorn goes on
    handling disconnects, shutdown and the order of pipelined requests.

    Args:
        rest: Handles the requests.
        arguments: uvicorn's arguments for a protocol.
    """

    def __init__(self, rest: RestEndpoints, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._rest = rest
        self._unanswered: list[RequestResponseCycle] = []  # of ASGI, on this connection

    def on_message_begin(self) -> None:
        """Begins a request: nothing is prepared before it is known which path it takes."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Chooses the path."""
        if self._takes_fast_path():
            self._begin()
            return
        received = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, headers, self.expect_100_continue = received
        self.headers += headers  # in place: the ASGI scope refers to this list
        super().on_headers_complete()
        if not self.parser.should_upgrade():
            waiting = [cycle for cycle in self._unanswered if not cycle.response_complete]
            self._unanswered = [*waiting, self.cycle]

    def on_body(self, body: bytes) -> None:
        """Adds to the body of the request."""
        if not isinstance(request := self.cycle, FastPathRequest):
            super().on_body(body)
        elif not request.response_complete:
            try:
                request.body.receive(body)
            except RequestError as error:
                self._send(request, error_response(error))

    def on_message_complete(self) -> None:
        """Handles the complete request."""
        if self.parser.should_upgrade():
            return  # it is parsed again, and the cycle may be that of the request before it
        if not isinstance(request := self.cycle, FastPathRequest):
            super().on_message_complete()
        elif not request.response_complete:
            request.task = self.loop.create_task(self._handle(request))
            self.tasks.add(request.task)
            request.task.add_done_callback(self.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells all requests of the connection; of pipelined ones uvicorn tells the newest only."""
        for cycle in self._unanswered:
            cycle.disconnected = cycle.disconnected or not cycle.response_complete
            cycle.message_event.set()
        super().connection_lost(exc)

    def _takes_fast_path(self) -> bool:
        return (
            self.url == self._rest.infer_path
            and self.parser.get_method() == b"POST"
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
            and not any(name == b"content-encoding" for name, _ in self.headers)
        )

    def _begin(self) -> None:
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        request = FastPathRequest(self.headers, self._rest.new_body(), keep_alive)
        self.cycle = request  # type: ignore[assignment]
        try:
            self._rest.check_room()  # before the body is read: under overload a refusal must cost little
            request.body.check_announced(request.headers.get("content-length", ""))
        except RequestError as error:
            self._send(request, error_response(error))

    async def _handle(self, request: FastPathRequest) -> None:
        try:
            response = await self._rest.respond(request.body.join(), request.headers)
        except asyncio.CancelledError:
            if not request.disconnected:
                raise  # the server is shutting down
            count_error(client_disconnected())
            return
        finally:
            request.body.release()
        if self.flow.write_paused:
            await self.flow.drain()
        self._send(request, response)

    def _send(self, request: FastPathRequest, response: HttpResponse) -> None:
        request.body.release()
        # Behind this request others may be queued, and uvicorn tells only the newest of a disconnect.
        if request.disconnected or self.transport.is_closing():
            return
        request.response_complete = True
        self.transport.write(self._encode(response, request.keep_alive))
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _encode(self, response: HttpResponse, keep_alive: bool) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in response.headers]
        if not keep_alive:
            lines.append(b"connection: close\r\n")
        entity = b"content-type: %b\r\ncontent-length: %d\r\n\r\n"
        entity %= response.media_type.encode(), len(response.content)
        return b"".join([STATUS_LINE[response.status], *lines, entity, response.content])
