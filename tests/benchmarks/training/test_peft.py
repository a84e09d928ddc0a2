from typing import get_args

from benchmarks.training.peft import STRATEGIES, count_parameters
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import Strategy, TrainingSettings

MODEL = ModelSettings(weights="none", image_size=64)
CLASSES = 5


def counted(strategy: Strategy, **changes: int) -> int:
    training = TrainingSettings(strategy=strategy).model_copy(update=changes)
    return count_parameters(MODEL, training, CLASSES)


def test_every_strategy_is_measured_and_trains_as_much_as_its_name_says() -> None:
    assert set(STRATEGIES) == set(get_args(Strategy))
    numbers = {strategy: counted(strategy) for strategy in STRATEGIES}
    assert numbers["linear"] == (1280 + 1) * CLASSES
    order = ("linear", "bitfit", "lora", "partial", "full")
    assert [numbers[each] for each in order] == sorted(numbers[each] for each in order)


def test_low_rank_parameters_grow_with_the_rank() -> None:
    head = counted("linear")
    assert counted("lora", rank=16) - head == 2 * (counted("lora", rank=8) - head)
