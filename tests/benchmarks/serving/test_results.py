"""A server's rounds are summed up as medians, and nothing that went wrong is lost in them."""

from __future__ import annotations

from benchmarks.serving.measure import Row
from benchmarks.serving.results import CONCURRENCIES, Bound, Result, together, windows_of_ours


def row(rate: float, wrong: int = 0) -> Row:
    return Row(concurrency=8, rate=rate, p50=1, p99=2, cpu_ms=3, megabytes=4, others=rate / 1000, wrong=wrong)


def round_of(rate: float, wrong: int = 0, ours: float = 0) -> Result:
    own = dict.fromkeys(CONCURRENCIES, row(ours)) if ours else {}
    rows = dict.fromkeys(CONCURRENCIES, row(rate, wrong))
    return Result(name="Peer", setup="handed", form="onnx", rows=rows, ours=own)


def test_rounds_become_medians_and_every_wrong_answer_counts() -> None:
    rounds = [round_of(30), round_of(10, wrong=2), Result(name="Peer", setup="handed", form="onnx", why="?")]
    found = together([*rounds, round_of(20, wrong=1)]).rows[8]
    assert (found.rate, found.wrong, found.others) == (20, 3, 0.03)


def test_the_first_answer_is_the_median_of_the_rounds_that_had_one() -> None:
    rounds = [round_of(1).model_copy(update={"first": seconds}) for seconds in (3.0, None, 1.0, 2.0)]
    assert together(rounds).first == 2.0
    assert together([round_of(1)]).first is None


def test_a_server_that_was_never_had_says_why() -> None:
    never = Result(name="Peer", setup="handed", form="onnx", why="no wheel")
    assert together([never, never]).why == "no wheel"


def test_every_window_of_ours_counts_the_bounds_too() -> None:
    servers = [[round_of(1, ours=10)], [round_of(1, ours=20), round_of(1)]]
    rows = windows_of_ours(servers, [Bound(limits=[], ours={8: row(60)})])
    assert {c: found.rate for c, found in rows.items()} == {1: 15, 8: 20, 32: 15}
