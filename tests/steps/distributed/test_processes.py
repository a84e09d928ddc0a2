"""Who trains: this process, several of this machine, or a TrainJob."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from phytoflow.config.loader import load_settings
from phytoflow.errors import ConfigError
from phytoflow.steps.distributed import train_job
from phytoflow.steps.distributed.processes import check_machines, train_elsewhere
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


@pytest.mark.parametrize("setting", ["training.nodes=2", "trainjob.enabled=true"])
def test_pods_need_an_output_that_all_can_reach(setting: str) -> None:
    settings = TrainStepSettings.of(load_settings(None, [setting]))
    with pytest.raises(ConfigError, match="cannot reach the output out") as refusal:
        check_machines(settings, "out")
    assert setting in refusal.value.message and setting.partition("=")[0] in refusal.value.remedy
    with pytest.raises(ConfigError, match="cannot reach the output out"):
        train_elsewhere(Path("data"), settings, "out", "out/checkpoints")


@pytest.mark.parametrize("setting", ["training.device=cuda", "training.precision=fp16"])
def test_a_gpu_that_is_not_there_is_missed_before_anything_is_spent(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    settings = TrainStepSettings.of(load_settings(None, [setting]))
    with pytest.raises(ConfigError, match="GPU"):
        check_machines(settings, "out")
    monkeypatch.setenv("KFP_POD_NAME", "configure-1")  # the pod of the train step has it
    check_machines(settings, "s3://bucket/out")
