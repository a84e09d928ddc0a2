"""The table of the ablation."""

from __future__ import annotations

from benchmarks.serving.ablation.table import Start, table
from benchmarks.serving.measure import Row


def rows(rate: float, p99: float = 10, wrong: int = 0) -> dict[int, Row]:
    row = Row(concurrency=8, rate=rate, p50=1, p99=p99, cpu_ms=4, megabytes=4, others=0, wrong=wrong)
    return dict.fromkeys((1, 8, 32), row)


def test_a_piece_that_helps_has_a_ratio_above_one_and_less_p99() -> None:
    starts = [Start(whole=rows(110, 8), without={"linger": rows(100, 10)})]
    line = next(line for line in table(starts) if line.startswith("| waiting"))
    assert line == "| waiting for closed-loop clients | 1.100 | 1.100 | 1.100 | 0.800 | 1.000 | 1 |"


def test_ratios_are_of_the_same_start_and_shown_with_their_spread() -> None:
    starts = [
        Start(whole=rows(100), without={"linger": rows(100)}),
        Start(whole=rows(300), without={"linger": rows(200)}),  # a faster hour
        Start(whole=rows(120), without={"linger": rows(100), "pinning": rows(60)}),
    ]
    lines = list(table(starts))
    assert lines[2].split(" | ")[1] == "1.200 (1.000 to 1.500)"
    assert lines[3].split(" | ")[1] == "2.000" and lines[3].endswith("| 1 |")


def test_pieces_taken_away_together_are_named_together_and_wrong_answers_are_summed() -> None:
    starts = [Start(whole=rows(1, wrong=1), without={"linger+pinning": rows(1, wrong=2)})]
    *_, line, wrong = table(starts)
    assert " and " in line.split("|")[1]
    assert wrong.strip() == "9 wrong answers."
