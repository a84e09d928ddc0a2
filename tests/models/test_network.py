"""The network in its two pieces."""

from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings


def test_names_of_weights_do_not_depend_on_the_cut() -> None:
    settings = ModelSettings(backbone="attention_cnn", weights="none")
    one, two = create_model(settings, 2, finetune_blocks=1), create_model(settings, 2, finetune_blocks=3)
    assert list(one.state_dict()) == list(two.state_dict())
    assert len(one.tail) == 2 and len(two.tail) == 4 and len(create_model(settings, 2, 99).trunk) == 1
