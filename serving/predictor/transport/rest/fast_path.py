"""uvicorn's connection, with a way of its own for V2 questions.

Between two photos the network empties the processor's caches, and each object that a request touches costs
several times what a profile of the server alone shows. ASGI's scope, events and messages, Starlette's request
and response and kserve's middleware came to a tenth of a photo. ``POST /v2/models/M/infer`` does without: its
bytes are gathered as they come, one task answers them, one write sends the answer. Everything else, and a
question that is out of the ordinary (pipelined, upgraded, told to wait for 100-continue), goes uvicorn's way
to FastAPI, where the same handler answers it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.predictor.errors import RequestError
from serving.predictor.transport.rest.endpoints import Rest
from serving.predictor.transport.rest.question import Question
from serving.predictor.transport.rest.responses import Reply, refusal


class Connection(HttpToolsProtocol):
    """One client's connection.

    A question stands where uvicorn keeps its request-response cycle, so that the end of the client, of the
    server and of pipelined requests' turns are seen to as ever.

    Args:
        rest: Answers questions.
        own: What uvicorn hands its connections.
    """

    def __init__(self, rest: Rest, **own: Any) -> None:
        super().__init__(**own)
        self._rest = rest

    def on_message_begin(self) -> None:
        """A request begins: nothing is prepared before it is known which way it goes."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Now it is."""
        if self._short():
            self._begin()
            return
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, headers, self.expect_100_continue = read
        self.headers += headers
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of its body."""
        if not isinstance(question := self.cycle, Question):
            super().on_body(body)
        elif not question.response_complete:
            try:
                question.body.receive(body)
            except RequestError as error:
                self._reply(question, refusal(error))

    def on_message_complete(self) -> None:
        """All of it is there."""
        if not isinstance(question := self.cycle, Question):
            super().on_message_complete()
        elif not question.response_complete:
            question.task = self.loop.create_task(self._answer(question))
            self.tasks.add(question.task)
            question.task.add_done_callback(self.tasks.discard)

    def _short(self) -> bool:
        idle = self.cycle is None or self.cycle.response_complete
        usual = not self.expect_100_continue and not self.parser.should_upgrade()
        return idle and usual and self.url == self._rest.path and self.parser.get_method() == b"POST"

    def _begin(self) -> None:
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        question = Question(self.headers, self._rest.new_body(), keep_alive)
        self.cycle = question  # type: ignore[assignment]
        try:
            self._rest.check_room()  # before its body is read: under overload a refusal must cost little
            question.body.check_announced(question.headers.get("content-length", ""))
        except RequestError as error:
            self._reply(question, refusal(error))

    async def _answer(self, question: Question) -> None:
        try:
            reply = await self._rest.reply(question.body.whole(), question.headers)
        except asyncio.CancelledError:
            if not question.disconnected:
                raise  # the server is ending
            question.count_as_gone()
            return
        finally:
            question.body.give_back()
        if self.flow.write_paused:
            await self.flow.drain()
        self._reply(question, reply)

    def _reply(self, question: Question, reply: Reply) -> None:
        question.body.give_back()
        # uvicorn tells only the last of several in a row that their client has left.
        if question.disconnected or self.transport.is_closing():
            return
        question.response_complete = True
        self.transport.write(self._written(reply, question.keep_alive))
        if not question.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _written(self, reply: Reply, keep_alive: bool) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in reply.headers]
        if not keep_alive:
            lines.append(b"connection: close\r\n")
        length = b"content-type: %b\r\ncontent-length: %d\r\n\r\n" % (
            reply.media_type.encode(),
            len(reply.content),
        )
        return b"".join([STATUS_LINE[reply.status], *lines, length, reply.content])
