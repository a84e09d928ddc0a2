"""Runs of two checkouts take turns."""

from pathlib import Path

import pytest

from benchmarks import default_run


def test_the_order_turns_and_the_median_ratio_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    began = []

    def run(checkout: Path, data: Path | None) -> float:
        assert data is None
        began.append(checkout)
        return 110.0 if checkout == default_run.ROOT else 100.0

    monkeypatch.setattr(default_run, "run", run)
    default_run.main(tmp_path, None, 2)
    assert began == [tmp_path, default_run.ROOT, default_run.ROOT, tmp_path]
    printed = capsys.readouterr().out
    assert "| 2 | 110.0 | 100.0 | 1.100 |" in printed and "median ratio 1.100" in printed
