"""The settings of a run: one section beside each thing that it configures, checked where they enter.

A file (YAML) is read first, ``key=value`` overrides are laid on top, and presets fill what is left
unsaid. See ``phytoflow.config.loader`` for reading; this module only says what there is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phytoflow.data.settings import DataSettings
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.export.settings import ExportSettings
from phytoflow.models.settings import ModelSettings
from phytoflow.settings_base import Section
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.training.settings import TrainingSettings


class RunSettings(Section):
    """Everything one run needs to know."""

    preset: Literal["default", "fast", "accurate", "low-memory", "production"] = Field(
        "default", description="What the settings left unsaid are taken from."
    )
    seed: int = Field(0, ge=0, description="Seed of the split, the augmentation and the training.")
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    export: ExportSettings = ExportSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    tracking: TrackingSettings = TrackingSettings()
    serving: ServingSettings = ServingSettings()
    deploy: DeploySettings = DeploySettings()
