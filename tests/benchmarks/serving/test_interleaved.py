"""What a command line names is what is started."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from benchmarks.serving.interleaved import _side, main


def test_an_unknown_server_is_refused_by_name() -> None:
    with pytest.raises(typer.BadParameter, match="no server 'tritn'; there are bare, fastapi"):
        _side("tritn --fast")


def test_the_bound_alone_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="at least one server"):
        main(["bound"], output=tmp_path / "none")
    assert not (tmp_path / "none").exists()
