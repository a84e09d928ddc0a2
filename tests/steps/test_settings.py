"""A step reads what it was handed, whole, or fails: it never falls back to a default."""

import json

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError
from phytoflow.steps import settings as module
from phytoflow.steps.settings import ExportStepSettings, StepSettings, TrainStepSettings

KINDS = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, StepSettings)]
KINDS.remove(StepSettings)


@pytest.mark.parametrize("kind", KINDS)
def test_json_carries_every_key(kind: type[StepSettings]) -> None:
    chosen = kind.of(load_settings(None, ["preset=accurate", "seed=3", "serving.name=rose"]))
    assert kind.from_json(chosen.to_json()) == chosen


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_section_is_an_error_not_a_default(kind: type[StepSettings]) -> None:
    whole = json.loads(kind.of(RunSettings()).to_json())
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(ConfigError, match=name):
            kind.from_json(json.dumps(part))


def test_a_missing_key_inside_a_section_is_an_error_not_a_default() -> None:
    tree = json.loads(TrainStepSettings.of(RunSettings()).to_json())
    del tree["training"]["batch_size"]
    with pytest.raises(ConfigError, match=r"training\.batch_size is missing"):
        TrainStepSettings.from_json(json.dumps(tree))


def test_a_section_that_the_step_does_not_read_is_refused() -> None:
    tree = json.loads(TrainStepSettings.of(RunSettings()).to_json())
    with pytest.raises(ConfigError, match="gate"):
        TrainStepSettings.from_json(json.dumps(tree | {"gate": {}}))


def test_a_step_is_not_run_again_for_a_setting_that_it_does_not_read() -> None:
    first, second = RunSettings(), load_settings(None, ["gate.min_accuracy=0.1", "serving.publish=false"])
    assert TrainStepSettings.of(first).to_json() == TrainStepSettings.of(second).to_json()
    assert ExportStepSettings.of(first).to_json() == ExportStepSettings.of(second).to_json()
