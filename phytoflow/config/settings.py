"""All settings of a run; each section is defined in the package that it configures.

``phytoflow.config.loader`` reads them: preset, YAML file and ``key=value`` assignments, in this order.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phytoflow.data.settings import DataSettings
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.export.settings import ExportSettings
from phytoflow.models.settings import ModelSettings
from phytoflow.settings_base import Section
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.training.settings import TrainingSettings


class RunSettings(Section):
    """Settings of the whole run."""

    preset: Literal["default", "fast", "accurate", "low-memory", "production"] = Field(
        "default", description="Named set of settings; other settings win over it."
    )
    seed: int = Field(0, ge=0, description="Seed of the split, the augmentation and the training.")
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    trainjob: TrainJobSettings = TrainJobSettings()
    export: ExportSettings = ExportSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    tracking: TrackingSettings = TrackingSettings()
    serving: ServingSettings = ServingSettings()
    deploy: DeploySettings = DeploySettings()
