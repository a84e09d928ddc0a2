"""What a command line names is what is started."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from benchmarks.serving.measure import Row
from benchmarks.serving.turns import Side, _side, _table


def row(rate: float) -> Row:
    return Row(concurrency=8, rate=rate, p50=1, p99=2, cpu_ms=3, megabytes=4, others=0, wrong=1)


def test_an_unknown_server_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no server 'tritn'; there are bare, fastapi"):
        _side("tritn --fast", "onnx", tmp_path).__enter__()


def test_figures_are_medians_and_wrong_answers_add_up() -> None:
    side = Side("ours --max_batch=4", None, None, {8: [row(100), row(300), row(120)]})  # type: ignore[arg-type]
    lines = list(_table([side], [8], []))
    assert lines[-1] == "| ours --max_batch=4 | 120 | 2 | 3.0 | 3 |"
