"""Who trains: this process, several of this machine, or a TrainJob."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.errors import ConfigError
from phytoflow.steps.distributed import train_job
from phytoflow.steps.distributed.processes import train_elsewhere
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.training.distributed import launch as launcher

CASES = [
    ([], "out", []),
    (["training.devices=3"], "out", [3]),
    (["training.devices=3"], "s3://bucket/out", [3]),
    (["training.nodes=2"], "s3://bucket/out", ["TrainJob"]),
    (["trainjob.enabled=true"], "s3://bucket/out", ["TrainJob"]),
]


@pytest.mark.parametrize(("assignments", "output", "expected"), CASES)
def test_the_settings_say_who_trains(
    assignments: list[str], output: str, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(launcher, "launch", lambda arguments, processes: seen.append(processes))
    monkeypatch.setattr(train_job, "train_on_cluster", lambda *_: seen.append("TrainJob"))
    settings = TrainStepSettings.of(load_settings(None, assignments))
    train_elsewhere(Path("dataset"), settings, output, f"{output}/checkpoints")
    assert seen == expected


def test_several_machines_need_an_output_that_all_can_reach() -> None:
    settings = TrainStepSettings.of(load_settings(None, ["training.nodes=2"]))
    with pytest.raises(ConfigError, match="nothing started this on each machine"):
        train_elsewhere(Path("dataset"), settings, "out", "out/checkpoints")
