"""Settings of the publishing gate."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import Section, Share


class GateSettings(Section):
    """What a model must achieve before it is published."""

    min_accuracy: Share = Field(0.80, description="Minimum test accuracy.")
    min_macro_f1: Share = Field(0.80, description="Minimum test macro-F1.")
    max_latency_ms: float = Field(
        50.0,
        gt=0,
        description="Maximum CPU time of one photo on one core, decoding included, in milliseconds. CPU time "
        "does not depend on what else the machine does.",
    )
    compare_champion: bool = Field(
        True, description="Refuse a model that is significantly worse than the champion."
    )
