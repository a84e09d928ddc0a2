"""The comparison with end-to-end training."""

from pathlib import Path

import pytest

from benchmarks.training import __main__ as module
from benchmarks.training.__main__ import Result, end_to_end_settings, measure_seeds, verdict
from phytoflow.training.settings import TrainingSettings


def test_end_to_end_training_never_stops_early() -> None:
    """Its whole cosine counts; the setting's name was out of date once, and the benchmark could not start."""
    settings = end_to_end_settings(4)
    assert settings.strategy == "full" and settings.end_to_end_epochs == 4 < settings.early_stopping_patience


def test_the_verdict_is_a_ratio_or_a_lower_bound() -> None:
    ours, theirs = Result("two stages", 10, 20, 0.97), Result("end to end", 35, 90, 0.97)
    text = "two stages reach it 3.5 times sooner (4.5 times less processor time)"
    assert verdict(ours, theirs, 0.969) == text
    assert verdict(ours, theirs, 0.98).startswith("two stages reach it more than 3.5 times sooner")


def test_seeds_are_averaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measure(name: str, _: object, __: object, seed: int, ___: Path) -> Result:
        return Result(name, 10.0 + seed, 20.0, 0.9 + seed / 10)

    monkeypatch.setattr(module, "measure", measure)
    mean = measure_seeds("two stages", [None, None], TrainingSettings(), tmp_path)  # type: ignore[list-item]
    assert mean == Result("two stages", 10.5, 20.0, pytest.approx(0.95))  # type: ignore[arg-type]
