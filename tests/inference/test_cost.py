import safetensors.torch

from phytoflow.inference.cost import measure_cost
from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings


def test_cost_is_that_of_the_network_and_grows_with_the_photos() -> None:
    small = ModelSettings(image_size=32, weights="none")
    cost, larger = measure_cost(small, 3), measure_cost(ModelSettings(image_size=320), 3)
    network = create_model(small, 3)
    assert cost.parameters == sum(weight.numel() for weight in network.parameters())
    assert cost.megabytes * 1e6 == sum(4 * value.numel() for value in network.state_dict().values())
    stored = len(safetensors.torch.save({k: v.contiguous() for k, v in network.state_dict().items()}))
    assert abs(stored / 1e6 / cost.megabytes - 1) < 0.02
    assert larger.parameters == cost.parameters and larger.milliseconds > 2 * cost.milliseconds
    assert f"{cost.megabytes:.1f} MB" in cost.describe()


def test_measuring_needs_no_pretrained_weights() -> None:
    missing = ModelSettings(image_size=32, weights="missing.safetensors")
    assert measure_cost(missing, 2).parameters == measure_cost(ModelSettings(image_size=32), 2).parameters
