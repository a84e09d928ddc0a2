"""A fast wrong server is found out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.serving.bound import Limit, best
from benchmarks.serving.catalogue import BARE, OURS, PEERS
from benchmarks.serving.measure import Asking, Row
from benchmarks.serving.table import CONCURRENCIES, Result, table, together

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


def round_of(rate: float, wrong: int = 0) -> Result:
    row = Row(concurrency=8, rate=rate, p50=1, p99=2, cpu_ms=3, megabytes=4, others=rate / 1000, wrong=wrong)
    return Result(name="Peer", setup="handed", form="onnx", rows=dict.fromkeys(CONCURRENCIES, row))


def test_rounds_become_medians_and_every_wrong_answer_counts() -> None:
    rounds = [round_of(30), round_of(10, wrong=2), Result(name="Peer", setup="handed", form="onnx", why="?")]
    row = together([*rounds, round_of(20, wrong=1)]).rows[8]
    assert (row.rate, row.wrong, row.others) == (20, 3, 0.03)


def test_the_first_answer_is_the_median_of_the_rounds_that_had_one() -> None:
    rounds = [round_of(1).model_copy(update={"first": seconds}) for seconds in (3.0, None, 1.0, 2.0)]
    assert together(rounds).first == 2.0
    assert "| 2.0 |" in table([together(rounds)], None)
    assert together([round_of(1)]).first is None


def test_the_bare_loop_is_a_bound_and_no_peer() -> None:
    ours = round_of(30).model_copy(update={"name": OURS.name, "setup": "own"})
    bare = round_of(40).model_copy(update={"name": BARE.name, "setup": "one process"})
    lines = table([round_of(20), bare, ours], None).splitlines()
    assert "| best handed peer | 1.50 (Peer) | 1.50 (Peer) | 1.50 (Peer) |" in lines
    assert "| bare loop in one process | 0.75 (bare) | 0.75 (bare) | 0.75 (bare) |" in lines
    assert any(line.startswith("| best p99 of a peer") and "(Peer, handed)" in line for line in lines)


def test_a_server_that_was_never_had_says_why() -> None:
    never = Result(name="Peer", setup="handed", form="onnx", why="no wheel")
    assert together([never, never]).why == "no wheel"


def test_the_bound_is_the_batch_with_the_best_median() -> None:
    rounds = [
        [Limit(batch=1, rate=a, cpu_ms=1), Limit(batch=2, rate=b, cpu_ms=1)]
        for a, b in ((9, 5), (1, 6), (2, 7))
    ]
    found = best(rounds)
    assert found is not None
    assert (found.batch, found.rate) == (2, 6)
    assert best([]) is None
