"""Nobody is left out by a slip of the pen."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from benchmarks.serving.__main__ import main


def test_an_unknown_server_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no server 'tritn'; there are ours, bound, bare, fastapi"):
        main("ours,tritn", output=tmp_path / "none")
    assert not (tmp_path / "none").exists()
