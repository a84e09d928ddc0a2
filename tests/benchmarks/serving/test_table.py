"""What ours comes to is told from windows side by side."""

from __future__ import annotations

from benchmarks.serving.measure import Row
from benchmarks.serving.registry import BARE, OURS
from benchmarks.serving.results import CONCURRENCIES, Bound, Result
from benchmarks.serving.table import table
from benchmarks.serving.upper_bound import Limit


def rows(rate: float, p99: float = 2, clients: tuple[int, ...] = CONCURRENCIES) -> dict[int, Row]:
    one = Row(concurrency=8, rate=rate, p50=1, p99=p99, cpu_ms=3, megabytes=4, others=0, wrong=0)
    return dict.fromkeys(clients, one)


def result(name: str, setup: str, rate: float, ours: float, p99: float = 2) -> Result:
    return Result(name=name, setup=setup, form="onnx", rows=rows(rate, p99), ours=rows(ours), first=2.0)


def test_rounds_are_compared_each_with_its_own_windows() -> None:
    """Medians of all: 100 and 110, though ours was the faster in two rounds of three."""
    rounds = [result("Peer", "handed", *pair) for pair in ((80, 90), (120, 100), (110, 200))]
    assert "| best handed peer | Peer: 1.12 (0.83 to 1.82) |" in table([rounds], [])


def test_the_best_peer_is_the_one_that_comes_nearest() -> None:
    """In a quick minute the slower one reached more photos/s."""
    quick, slow = result("Lucky", "handed", 100, 150, p99=1), result("Good", "handed", 90, 99, p99=8)
    lines = table([[quick], [slow]], []).splitlines()
    assert "| best handed peer | Good: 1.10 | Good: 1.10 | Good: 1.10 |" in lines
    assert "Lucky, handed: 2.00" in next(line for line in lines if line.startswith("| best p99"))


def test_the_bare_loop_is_a_bound_and_no_peer() -> None:
    bare = result(BARE.name, "one process", 40, 30, p99=1)
    lines = table([[result("Peer", "handed", 20, 30)], [bare]], []).splitlines()
    assert "| best handed peer | Peer: 1.50 | Peer: 1.50 | Peer: 1.50 |" in lines
    assert "| bare loop in one process | bare: 0.75 | bare: 0.75 | bare: 0.75 |" in lines
    assert "Peer, handed:" in next(line for line in lines if line.startswith("| best p99"))


def test_the_bound_is_compared_round_by_round_at_its_best_size() -> None:
    bounds = [
        Bound(limits=[_limit(1, 500 if luck else 10), _limit(2, rate)], ours=rows(ours, clients=(8, 32)))
        for luck, rate, ours in ((True, 100, 90), (False, 200, 190), (False, 300, 294))
    ]
    lines = table([[result("Peer", "handed", 20, 30)]], bounds).splitlines()
    assert "| bound | | 0.95 (0.90 to 0.98) | 0.95 (0.90 to 0.98) |" in lines
    assert "| bound, CPU a photo (below 1 is better) | | 1.50 (1.50 to 1.50) | 1.50 (1.50 to 1.50) |" in lines


def test_ours_is_shown_by_all_its_windows() -> None:
    alone = Result(name=OURS.name, setup="own", form="onnx", rows=rows(999), first=1.5)
    peers = [[result(name, "handed", 20, 30)] for name in ("Peer", "Other")]
    lines = table([*peers, [alone]], []).splitlines()
    ours = next(line for line in lines if line.startswith(f"| {OURS.name} | own, onnx | 30 | 30 | 30 |"))
    assert ours.endswith("| 1.5 |")


def test_a_wrong_answer_of_ours_is_shown_whenever_it_was_given() -> None:
    wrong = {c: row.model_copy(update={"wrong": 1, "others": 0.3}) for c, row in rows(30).items()}
    alone = Result(name=OURS.name, setup="own", form="onnx", rows=wrong, first=1.5)
    peer = result("Peer", "handed", 20, 30).model_copy(update={"ours": wrong})
    text = table([[peer], [alone]], [])
    assert "30 (2 wrong)" in text and "up to 30%" in text


def test_a_peer_that_answered_nothing_spoils_no_table() -> None:
    text = table([[result("Hung", "handed", 0, 30)], [result("Peer", "handed", 20, 30)]], [])
    assert "| best handed peer | Peer: 1.50 |" in text


def test_a_peer_that_was_not_had_is_shown_with_its_reason() -> None:
    never = Result(name="Peer", setup="handed", form="onnx", why="no wheel")
    text = table([[never], [result("Other", "handed", 20, 30)]], [])
    assert "could not be measured: 'no wheel'" in text and "Other: 1.50" in text


def _limit(batch: int, rate: float) -> Limit:
    return Limit(batch=batch, rate=rate, cpu_ms=2)
