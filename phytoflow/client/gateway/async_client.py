"""The gateway's client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from phytoflow.client.gateway import calls
from phytoflow.client.gateway.answers import GatewayPrediction, Quota, StoredPrediction, Task
from phytoflow.client.gateway.calls import Call, T
from phytoflow.client.gateway.connection import Connection
from phytoflow.client.gateway.errors import unfinished
from phytoflow.client.parameters import Photo, chunk_photos
from phytoflow.protocol.constants import MAX_PHOTOS_PER_REQUEST

_PAGE = 200


class AsyncGatewayClient:
    """The methods of ``GatewayClient``, with the same arguments and errors, to be awaited."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        token_file: Path | str = "",
        timeout: float = 60.0,
        retries: int = 5,
        max_wait: float = 60.0,
    ) -> None:
        self._connection = Connection(url, token, token_file, timeout, retries, max_wait)
        self._http = httpx.AsyncClient(**self._connection.options())

    async def predict(
        self, photo: Photo, *, top_k: int = 3, explain: bool = False, tta: str = "none"
    ) -> GatewayPrediction:
        """Classifies one photo."""
        return await self._run(calls.predict(photo, top_k, explain, tta))

    async def predict_batch(
        self, photos: Sequence[Photo], *, top_k: int = 3, explain: bool = False, tta: str = "none"
    ) -> list[GatewayPrediction]:
        """Classifies photos, 16 in each request, one request after the other."""
        groups = chunk_photos(photos, MAX_PHOTOS_PER_REQUEST)
        return [one for g in groups for one in await self._run(calls.predict_batch(g, top_k, explain, tta))]

    async def submit(
        self, photo: Photo, *, top_k: int = 3, explain: bool = False, tta: str = "none", webhook: str = ""
    ) -> Task:
        """Hands a photo over to be classified later; ``webhook`` is a URL that gets the answer."""
        return await self._run(calls.submit(photo, top_k, explain, tta, webhook))

    async def task(self, task_id: str) -> Task:
        """The state of a task, with its result once it is done."""
        return await self._run(calls.task(task_id))

    async def wait(self, task_id: str, timeout: float = 60.0, poll: float = 0.5) -> Task:
        """Waits until a task is finished; raises ServingError if it is not within ``timeout`` seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not (task := await self.task(task_id)).finished:
            if asyncio.get_running_loop().time() > deadline:
                raise unfinished(task, timeout)
            await asyncio.sleep(poll)
        return task

    async def feedback(
        self, prediction_id: str, verdict: str = "label", label: str | None = None, comment: str = ""
    ) -> StoredPrediction:
        """Says what a prediction's photo shows."""
        return await self._run(calls.feedback(prediction_id, verdict, label, comment))

    async def history(
        self, *, label: str | None = None, known: bool | None = None
    ) -> AsyncIterator[StoredPrediction]:
        """Yields one's own predictions, newest first; fetched page by page."""
        before = None
        while True:
            page, before = await self._run(calls.history(before, label, known, _PAGE))
            for one in page:
                yield one
            if before is None:
                return

    async def prediction(self, prediction_id: str) -> StoredPrediction:
        """One of one's own predictions; reviewers can see all."""
        return await self._run(calls.prediction(prediction_id))

    async def photo(self, prediction_id: str) -> bytes:
        """The photo of a prediction, without metadata, if it was stored."""
        return await self._run(calls.photo(prediction_id))

    async def quota(self) -> Quota:
        """What is left of one's limit."""
        return await self._run(calls.quota())

    async def classes(self) -> list[str]:
        """The classes of the model that answers."""
        return await self._run(calls.classes())

    async def request(self, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
        """Any other call of the API."""
        return await self._run(calls.request(method, path, document))

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, call: Call[T]) -> T:
        waits = self._connection.delays()
        while True:
            outcome: httpx.Response | httpx.HTTPError
            try:
                outcome = response = await self._http.request(call.method, call.path, **call.arguments())
            except httpx.HTTPError as error:
                outcome = error
            wait = self._connection.wait_after(call, outcome, waits)
            if wait is None:
                return self._connection.read(call, response)
            await asyncio.sleep(wait)
