"""Settings of the publishing gate."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import Section, Share


class GateSettings(Section):
    """What a model must show before it is published."""

    min_accuracy: Share = Field(0.80, description="Least test accuracy.")
    min_macro_f1: Share = Field(0.80, description="Least test macro-F1.")
    max_latency_ms: float = Field(50.0, gt=0, description="Most mean latency of one photo, milliseconds.")
    compare_champion: bool = Field(True, description="Refuse a model worse than the champion beyond noise.")
