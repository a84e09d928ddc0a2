"""The blocking client of the gateway."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import ValidationError

from phytoflow.client.gateway import calls
from phytoflow.client.gateway.answers import (
    AcceptedPrediction,
    GatewayPrediction,
    Quota,
    StoredPrediction,
    Task,
)
from phytoflow.client.gateway.calls import Call, T
from phytoflow.client.gateway.connection import Connection
from phytoflow.client.gateway.errors import error_of, not_ours, unfinished, unreachable
from phytoflow.client.parameters import Photo, chunk_photos
from phytoflow.protocol.constants import MAX_PHOTOS_PER_REQUEST

_PAGE = 200


class GatewayClient:
    """Sends photos to a gateway, as one user.

    Every method raises ``GatewayError`` if the gateway refuses, with its reason and what to do, and
    ``ServingError`` if it cannot be reached. A gateway that is busy or whose limit is reached (429, 502, 503,
    504) is asked again after the time that it names.

    Args:
        url: Address of the gateway, e.g. ``http://localhost:8000``.
        token: Token or API key.
        token_file: File that holds it instead.
        timeout: Seconds for one request.
        retries: Further attempts.
        max_wait: Longest time, in seconds, that the gateway may ask to wait before another attempt.
    """

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
        self._http = httpx.Client(**self._connection.options())

    def predict(
        self, photo: Photo, *, top_k: int = 3, explain: bool = False, tta: str = "none"
    ) -> GatewayPrediction:
        """Classifies one photo.

        Args:
            photo: An encoded photo, or the path of its file.
            top_k: Number of classes in ``top``.
            explain: Whether to return where in the photo the evidence lies.
            tta: ``none``, ``flips`` or ``crops``: views of the photo that are averaged.
        """
        return self._run(calls.predict(photo, top_k, explain, tta))

    def predict_batch(
        self, photos: Sequence[Photo], *, top_k: int = 3, explain: bool = False, tta: str = "none"
    ) -> list[GatewayPrediction]:
        """Classifies photos, 16 in each request; arguments as for ``predict``."""
        groups = chunk_photos(photos, MAX_PHOTOS_PER_REQUEST)
        return [one for g in groups for one in self._run(calls.predict_batch(g, top_k, explain, tta))]

    def submit(
        self, photo: Photo, *, top_k: int = 3, explain: bool = False, tta: str = "none", webhook: str = ""
    ) -> Task:
        """Hands a photo over to be classified later; ``webhook`` is a URL that gets the answer."""
        return self._run(calls.submit(photo, top_k, explain, tta, webhook))

    def task(self, task_id: str) -> Task:
        """The state of a task, with its result once it is done."""
        return self._run(calls.task(task_id))

    def wait(self, task_id: str, timeout: float = 60.0, poll: float = 0.5) -> Task:
        """Waits until a task is finished; raises ServingError if it is not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not (task := self.task(task_id)).finished:
            if time.monotonic() > deadline:
                raise unfinished(task, timeout)
            time.sleep(poll)
        return task

    def feedback(
        self, prediction_id: str, verdict: str = "label", label: str | None = None, comment: str = ""
    ) -> StoredPrediction:
        """Says what a prediction's photo shows.

        Args:
            prediction_id: Id of one's own prediction.
            verdict: ``right``, ``label`` (it is ``label``) or ``cannot_tell``.
            label: The class it is, with the verdict ``label``.
            comment: In one's own words.
        """
        return self._run(calls.feedback(prediction_id, verdict, label, comment))

    def history(self, *, label: str | None = None, known: bool | None = None) -> Iterator[StoredPrediction]:
        """Yields one's own predictions, newest first; fetched page by page.

        Args:
            label: Only those of this class.
            known: Only those that were known, or that were not.
        """
        before = None
        while True:
            page, before = self._run(calls.history(before, label, known, _PAGE))
            yield from page
            if before is None:
                return

    def prediction(self, prediction_id: str) -> StoredPrediction:
        """One of one's own predictions; reviewers can see all."""
        return self._run(calls.prediction(prediction_id))

    def photo(self, prediction_id: str) -> bytes:
        """The photo of a prediction, without metadata, if it was stored."""
        return self._run(calls.photo(prediction_id))

    def accepted(self) -> Iterator[AcceptedPrediction]:
        """Yields predictions whose class a reviewer accepted, oldest first; needs the scope ``review``."""
        try:
            with self._http.stream("GET", "/v1/feedback/accepted") as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response) or AssertionError
                for line in response.iter_lines():
                    yield AcceptedPrediction.model_validate_json(line)
        except httpx.HTTPError as error:
            raise unreachable(self._connection.url, error) from error
        except ValidationError as error:
            raise not_ours(self._connection.url, error) from error

    def quota(self) -> Quota:
        """What is left of one's limit."""
        return self._run(calls.quota())

    def classes(self) -> list[str]:
        """The classes of the model that answers."""
        return self._run(calls.classes())

    def request(self, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
        """Any other call of the API.

        Args:
            method: HTTP method; only ``GET`` is repeated after a lost connection.
            path: Path with its version, e.g. ``/v1/rollouts/current``.
            document: JSON body.

        Returns:
            The answer's JSON document.
        """
        return self._run(calls.request(method, path, document))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Call[T]) -> T:
        waits = self._connection.delays()
        while True:
            outcome: httpx.Response | httpx.HTTPError
            try:
                outcome = response = self._http.request(call.method, call.path, **call.arguments())
            except httpx.HTTPError as error:
                outcome = error
            wait = self._connection.wait_after(call, outcome, waits)
            if wait is None:
                return self._connection.read(call, response)
            time.sleep(wait)
