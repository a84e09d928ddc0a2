"""A fast wrong server is found out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.serving.measure import Asking
from benchmarks.serving.registry import BARE, OURS, PEERS

ASK = Asking([], np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), seconds=1, patience=0)


def answer(values: object, index: int = 1, status: bytes = b"HTTP/1.1 200 O") -> tuple[int, bytes, bytes]:
    body = {"outputs": [{"name": "probabilities", "data": values}]}
    return index, status, json.dumps(body).encode()


def test_the_offline_probabilities_are_right() -> None:
    assert not ASK._wrong(OURS, *answer([0.2, 0.8]))


@pytest.mark.parametrize(
    "given",
    [
        answer([0.9, 0.1]),
        answer([0.2, 0.8], index=0),
        answer([0.202, 0.798]),
        answer([float("nan"), 0.8]),
        answer([0.2]),
        answer([0.2, 0.8], status=b"HTTP/1.1 503 S"),
        (1, b"HTTP/1.1 200 O", b"not JSON"),
    ],
)
def test_anything_else_is_wrong(given: tuple[int, bytes, bytes]) -> None:
    assert ASK._wrong(OURS, *given)


@pytest.mark.parametrize("peer", [OURS, BARE, *PEERS], ids=lambda peer: peer.name)
def test_a_request_announces_what_it_sends(peer: object) -> None:
    head, _, body = peer.request(b"\xff\xd8photo\xff\xd9").partition(b"\r\n\r\n")  # type: ignore[attr-defined]
    assert f"Content-Length: {len(body)}".encode() in head
