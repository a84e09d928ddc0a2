"""What each step reads of a run's settings: one frozen model a step.

A step is not run again for a setting that it does not read. A step that is handed settings without one that
it reads fails: it never falls back to a default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.config.settings import RunSettings
from phytoflow.data.settings import DataSettings
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.errors import ConfigError
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.export.settings import ExportSettings
from phytoflow.models.settings import ModelSettings
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.training.settings import TrainingSettings


class StepSettings(BaseModel):
    """Base: no field has a default, and JSON must hold every key of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def of(cls, run: RunSettings) -> Self:
        """Takes what the step reads from a run's settings."""
        return cls(**{name: getattr(run, name) for name in cls.model_fields})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what ``to_json`` wrote.

        Raises:
            ConfigError: A section or a key is missing, unknown, or has a wrong value.
        """
        try:
            settings = cls.model_validate_json(text)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()]
            raise _refusal(cls, faults) from error
        if missing := list(_missing(settings)):
            raise _refusal(cls, [f"{key} is missing" for key in missing])
        return settings

    def to_json(self) -> str:
        """Returns JSON that is equal for equal settings."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


class PreprocessStepSettings(StepSettings):
    """Of the preprocess step."""

    seed: int
    data: DataSettings
    model: ModelSettings


class TrainStepSettings(StepSettings):
    """Of the train step."""

    seed: int
    model: ModelSettings
    training: TrainingSettings
    trainjob: TrainJobSettings
    tracking: TrackingSettings


class ExportStepSettings(StepSettings):
    """Of the export step. All sections are recorded in the bundle: they made it what it is."""

    seed: int
    data: DataSettings
    model: ModelSettings
    training: TrainingSettings
    export: ExportSettings
    name: str

    @classmethod
    def of(cls, run: RunSettings) -> Self:
        """Takes what the step reads, and ``serving.name`` as the bundle's name."""
        sections = {key: getattr(run, key) for key in cls.model_fields if key != "name"}
        return cls(name=run.serving.name, **sections)


class EvaluateStepSettings(StepSettings):
    """Of the evaluate step."""

    seed: int
    evaluation: EvaluationSettings
    tracking: TrackingSettings


class GateStepSettings(StepSettings):
    """Of the gate step."""

    gate: GateSettings
    tracking: TrackingSettings


class RegisterStepSettings(StepSettings):
    """Of the register step."""

    tracking: TrackingSettings


class PublishStepSettings(StepSettings):
    """Of the publish step."""

    serving: ServingSettings
    deploy: DeploySettings
    tracking: TrackingSettings


def _missing(model: BaseModel, prefix: str = "") -> Iterator[str]:
    """Keys that the JSON left to their defaults."""
    for name in type(model).model_fields:
        if name not in model.model_fields_set:
            yield prefix + name
        elif isinstance(value := getattr(model, name), BaseModel):
            yield from _missing(value, f"{prefix}{name}.")


def _refusal(model: type[StepSettings], faults: list[str]) -> ConfigError:
    step = model.__name__.removesuffix("StepSettings").lower()
    remedy = (
        "steps and pipeline are of different versions: compile the pipeline again, with this version's image"
    )
    return ConfigError(f"the settings of the {step} step are not whole: {'; '.join(faults)}", remedy=remedy)
