"""Schedules, averaging and the device."""

import pytest
import torch

from phytoflow.errors import ConfigError
from phytoflow.training.engine.device import find_device
from phytoflow.training.engine.lightning_module import FitSettings, _averaging, _factor, _mixed, _mixing
from phytoflow.training.metrics import macro_f1, temperature
from phytoflow.training.settings import TrainingSettings


def settings(**changes: object) -> FitSettings:
    facts = {"rate": 1.0, "epochs": 2, "weight_decay": 0.0, "schedule": "cosine", "label_smoothing": 0.0}
    facts |= {"mixup": 0.0, "cutmix": 0.0, "ema_decay": 0.9, "learn_norms": False, "patience": 0}
    return FitSettings(**(facts | changes))  # type: ignore[arg-type]


def test_the_rate_rises_then_falls_to_nothing() -> None:
    factors = [_factor(settings(), 100)(step) for step in range(101)]
    peak = factors.index(max(factors))
    assert factors[0] < 0.1 and 15 <= peak <= 25 and factors[100] == pytest.approx(0, abs=1e-9)
    assert factors[:peak] == sorted(factors[:peak]) and factors[peak:] == sorted(factors[peak:], reverse=True)
    assert _factor(settings(schedule="constant"), 100)(90) == 1.0


def test_the_average_remembers_more_as_steps_go_by() -> None:
    def averaged(decay: float, steps: int) -> list[float]:
        kept = [torch.zeros(1), torch.full((1,), 2.0)]
        _averaging(decay)(kept, [torch.ones(1), torch.ones(1)], torch.tensor(steps))
        return [weight.item() for weight in kept]

    assert averaged(0.9, 1) == pytest.approx([1 - 2 / 11, 1 + 2 / 11])
    assert averaged(0.9, 1000) == pytest.approx([0.1, 1.9])
    assert averaged(0.0, 50) == [1, 1]


@pytest.mark.parametrize("shape", [(6, 4, 8, 8), (6, 5, 7), (6, 10)])
def test_inputs_of_any_form_are_mixed_with_their_labels(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    mix = _mixing(settings(mixup=1.0), 3)
    assert mix is not None and _mixing(settings(), 3) is None
    inputs, labels = torch.randn(shape), torch.tensor([0, 1, 2, 0, 1, 2])
    mixed, targets = _mixed(mix, inputs, labels)
    assert mixed.shape == shape and targets.shape == (6, 3)
    share = targets[0, 0]
    assert torch.allclose(mixed[0], share * inputs[0] + (1 - share) * inputs[-1], atol=1e-5)


def test_temperature_undoes_overconfidence() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)


def test_macro_f1_counts_classes_alike() -> None:
    logits = torch.eye(2)[[0, 0, 0, 0]]
    assert macro_f1(logits, torch.tensor([0, 0, 0, 1])) == pytest.approx((6 / 7 + 0) / 2)


def test_a_gpu_that_is_not_there_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no GPU"):
        find_device(TrainingSettings(device="cuda"))
    with pytest.raises(ConfigError, match="fp16 needs a GPU"):
        find_device(TrainingSettings(precision="fp16"))
    assert find_device(TrainingSettings()).precision == "32-true"
    assert find_device(TrainingSettings(precision="bf16")).precision == "bf16-mixed"
