"""The requests that the gateway's clients send, and how their responses are read; no I/O."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel

from phytoflow.client.gateway.answers import GatewayPrediction, Quota, StoredPrediction, Task
from phytoflow.client.parameters import Photo

T = TypeVar("T")
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        method: HTTP method.
        path: Path below the gateway's URL.
        read: Reads the response.
        query: Query parameters.
        document: JSON body; None: another one or none.
        files: Parts of a multipart form: field name, file name, content.
        idempotent: Whether sending it twice does no harm, so that it may be repeated after a lost connection.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    query: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] | None = None
    files: Sequence[tuple[str, tuple[str, bytes]]] = ()
    idempotent: bool = True

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for httpx; everything else is the client's."""
        query = {name: value for name, value in self.query.items() if value is not None}
        return {"params": query, "json": self.document, "files": list(self.files) or None}


def predict(photo: Photo, top_k: int, explain: bool, tta: str) -> Call[GatewayPrediction]:
    """``POST /v1/predict``; raises OSError if the file cannot be read."""
    return Call(
        "POST",
        "/v1/predict",
        _read(GatewayPrediction),
        query=_options(top_k, explain, tta),
        files=[("file", read_photo(photo))],
        idempotent=False,
    )


def predict_batch(
    photos: Sequence[Photo], top_k: int, explain: bool, tta: str
) -> Call[list[GatewayPrediction]]:
    """``POST /v1/predict_batch``; raises OSError if a file cannot be read."""

    def read(response: httpx.Response) -> list[GatewayPrediction]:
        return [GatewayPrediction.model_validate(one) for one in response.json()["predictions"]]

    files = [("files", read_photo(photo)) for photo in photos]
    query = _options(top_k, explain, tta)
    return Call("POST", "/v1/predict_batch", read, query=query, files=files, idempotent=False)


def submit(photo: Photo, top_k: int, explain: bool, tta: str, webhook: str) -> Call[Task]:
    """``POST /v1/predict_async``; raises OSError if the file cannot be read."""
    query = _options(top_k, explain, tta) | {"webhook": webhook or None}
    files = [("file", read_photo(photo))]
    return Call("POST", "/v1/predict_async", _read(Task), query=query, files=files, idempotent=False)


def task(task_id: str) -> Call[Task]:
    """``GET /v1/result/{task_id}``."""
    return Call("GET", f"/v1/result/{task_id}", _read(Task))


def feedback(prediction_id: str, verdict: str, label: str | None, comment: str) -> Call[StoredPrediction]:
    """``POST /v1/feedback``; said twice it counts once."""
    document = {"prediction_id": prediction_id, "verdict": verdict, "label": label, "comment": comment}
    return Call("POST", "/v1/feedback", _read(StoredPrediction), document=document)


def history(
    before: str | None, label: str | None, known: bool | None, limit: int
) -> Call[tuple[list[StoredPrediction], str | None]]:
    """``GET /v1/predictions``: a page, and where the next one begins."""

    def read(response: httpx.Response) -> tuple[list[StoredPrediction], str | None]:
        page = response.json()
        return [StoredPrediction.model_validate(one) for one in page["predictions"]], page["next"]

    query = {"before": before, "label": label, "known": known, "limit": limit}
    return Call("GET", "/v1/predictions", read, query=query)


def prediction(prediction_id: str) -> Call[StoredPrediction]:
    """``GET /v1/predictions/{id}``."""
    return Call("GET", f"/v1/predictions/{prediction_id}", _read(StoredPrediction))


def photo(prediction_id: str) -> Call[bytes]:
    """``GET /v1/predictions/{id}/photo``."""
    return Call("GET", f"/v1/predictions/{prediction_id}/photo", lambda response: response.content)


def quota() -> Call[Quota]:
    """``GET /v1/quota``."""
    return Call("GET", "/v1/quota", _read(Quota))


def classes() -> Call[list[str]]:
    """``GET /v1/classes``."""
    return Call("GET", "/v1/classes", lambda response: list(response.json()["classes"]))


def read_photo(photo: Photo) -> tuple[str, bytes]:
    """File name and content of a photo."""
    return ("photo", photo) if isinstance(photo, bytes) else (Path(photo).name, Path(photo).read_bytes())


def _options(top_k: int, explain: bool, tta: str) -> dict[str, Any]:
    return {"top_k": top_k, "explain": str(explain).lower(), "tta": tta}


def _read(model: type[_M]) -> Callable[[httpx.Response], _M]:
    return lambda response: model.model_validate_json(response.content)


def request(method: str, path: str, document: dict[str, Any] | None) -> Call[Any]:
    """Any other call of the API, answered by JSON."""
    read = operator.methodcaller("json")
    return Call(method, path, read, document=document, idempotent=method == "GET")
