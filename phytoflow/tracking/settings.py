"""Settings of the tracking: where runs and models are recorded."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import Section


class TrackingSettings(Section):
    """Where runs and models are recorded."""

    uri: str = Field(
        "", description="MLflow tracking URI; empty: MLFLOW_TRACKING_URI, else SQLite in the output folder."
    )
    experiment: str = Field("phytoflow", description="MLflow experiment.")
    registered_model: str = Field(
        "leaf", pattern=r"^[^/:'\"`]+$", description="Name in MLflow's model registry."
    )
