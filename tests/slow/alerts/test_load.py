"""More photos than a predictor can serve: answers are slow, photos wait, requests are refused."""

from __future__ import annotations

import io
import re
import time

import httpx
import pytest
from PIL import Image

from phytoflow.client.rest_codec import encode
from tests.slow.alerts.service import LONGEST_SECONDS, PHOTO, Service, do_nothing, keep_up

_LARGE_SIDE = 4500  # a PNG of 20 megapixels takes half a second to decode
_LARGE = 6  # of them in turn, so that a photo behind them waits for some seconds
_USERS = 8
_QUEUE = 24  # room for all of these


@pytest.fixture(scope="module")
def predictor_options() -> dict[str, object]:
    return {"max_batch_size": 1, "max_queue_size": _QUEUE}


def test_photos_behind_large_ones(service: Service) -> None:
    """The queue always holds large photos, so that others wait, the longer the slower the machine is."""
    buffer = io.BytesIO()
    Image.new("RGB", (_LARGE_SIDE, _LARGE_SIDE), "green").save(buffer, "PNG")
    body, headers = encode([buffer.getvalue()])
    client = httpx.Client(timeout=30)

    def send_large() -> None:
        client.post(f"{service.predictor.model}/infer", content=body, headers=headers)

    names = {"PhytoflowLatencyHigh", "PhytoflowSaturated"}
    names |= {"PhytoflowLatencyBurnsFast", "PhytoflowLatencyBurnsSlowly"}
    with keep_up(*[send_large] * _LARGE):
        _await_queue(service, _LARGE - 2)
        service.expect(names, do_nothing, *[service.predict() for _ in range(_USERS)])


def _await_queue(service: Service, photos: int) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while _depth(service) < photos:
        assert time.monotonic() < deadline, "the large photos do not wait"
        time.sleep(0.1)


def _depth(service: Service) -> float:
    metrics = httpx.get(f"{service.predictor.url}/metrics", timeout=30).text
    depth = re.search(r"^prediction_queue_depth (\S+)$", metrics, re.MULTILINE)
    assert depth
    return float(depth[1])


def test_requests_that_the_queue_has_no_room_for(service: Service) -> None:
    body, headers = encode([PHOTO] * (_QUEUE + 1))

    def flood() -> None:
        answer = httpx.post(f"{service.predictor.model}/infer", content=body, headers=headers, timeout=30)
        assert answer.status_code == 503, answer.text
        time.sleep(0.1)

    service.expect({"PhytoflowRefusing", "PhytoflowErrors"}, do_nothing, flood)
