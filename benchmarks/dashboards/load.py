"""A load that uses every part of the gateway once or more, the way callers do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

_POLL_SECONDS = 0.1
_LONGEST_SECONDS = 30


@dataclass(frozen=True)
class Callers:
    """Clients of a gateway.

    Attributes:
        user: May predict and give feedback.
        reviewer: May review, too.
        anonymous: Sends no credentials.
    """

    user: httpx.Client
    reviewer: httpx.Client
    anonymous: httpx.Client


def send_round(callers: Callers, photo: bytes, classes: list[str]) -> None:
    """Single photos, a batch, a task, mistakes, feedback with a decision, a page.

    Raises:
        RuntimeError: An answer was not the expected one.
    """
    user, anonymous = callers.user, callers.anonymous
    one = [_expect(200, user.post("/v1/predict", files={"file": ("leaf.jpg", photo)})) for _ in range(3)]
    _expect(200, user.post("/v1/predict_batch", files=[("files", (f"{n}.jpg", photo)) for n in range(4)]))
    _expect(422, user.post("/v1/predict", files={"file": ("broken.jpg", b"no photo")}))
    _expect(401, anonymous.post("/v1/predict", files={"file": ("leaf.jpg", photo)}))
    _expect(404, anonymous.get("/nothing"))
    _finish_task(user, photo)
    for verdict, answer in zip(("right", "label", "cannot_tell"), one, strict=True):
        label = {"label": classes[-1]} if verdict == "label" else {}
        _give_feedback(callers, answer.json()["id"], verdict, label)
    _expect(200, user.get("/v1/predictions"))


def _expect(status: int, response: httpx.Response) -> httpx.Response:
    if response.status_code != status:
        raise RuntimeError(f"{response.request.url} answered {response.status_code}: {response.text}")
    return response


def _finish_task(user: httpx.Client, photo: bytes) -> None:
    task = _expect(202, user.post("/v1/predict_async", files={"file": ("leaf.jpg", photo)})).json()

    def ended() -> bool:
        return user.get(f"/v1/result/{task['task_id']}").json().get("state") not in ("queued", "running")

    _wait(ended, "no worker finished the task")


def _give_feedback(callers: Callers, id_: str, verdict: str, label: dict[str, str]) -> None:
    statement = {"prediction_id": id_, "verdict": verdict} | label
    _wait(lambda: callers.user.get(f"/v1/predictions/{id_}").status_code == 200, "a prediction is not logged")
    _expect(200, callers.user.post("/v1/feedback", json=statement))
    if label:
        _expect(200, callers.reviewer.post(f"/v1/review/{id_}", json=label))


def _wait(condition: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(problem)
        time.sleep(_POLL_SECONDS)
