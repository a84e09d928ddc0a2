"""Selection of device and precision."""

import pytest
import torch

from phytoflow.errors import ConfigError
from phytoflow.training.engine.device import Device, find_device
from phytoflow.training.settings import TrainingSettings


def test_a_gpu_that_is_not_there_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no GPU"):
        find_device(TrainingSettings(device="cuda"))
    with pytest.raises(ConfigError, match="fp16 needs a GPU"):
        find_device(TrainingSettings(precision="fp16"))
    assert find_device(TrainingSettings()).precision == "32-true"
    assert find_device(TrainingSettings(precision="bf16")).precision == "bf16-mixed"


def test_sharded_networks_are_not_trained_in_fp16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their gradients would have to be scaled and checked in every process alike."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match="does not train in fp16"):
        find_device(TrainingSettings(precision="fp16", sharding="fsdp", device="cuda"))


def test_autocast_is_on_for_half_precision_only() -> None:
    ones = torch.ones(2, 2)
    with Device("cpu", torch.bfloat16, "").autocast():
        assert (ones @ ones).dtype == torch.bfloat16
    with Device("cpu", torch.float32, "").autocast():
        assert (ones @ ones).dtype == torch.float32
