"""Settings of the evaluation."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import Fraction, Section


class EvaluationSettings(Section):
    """How a bundle is evaluated."""

    bootstrap_samples: int = Field(1000, ge=100, description="Bootstrap resamples behind each interval.")
    confidence_level: Fraction = Field(0.95, description="Level of the confidence intervals.")
    calibration_bins: int = Field(15, ge=2, description="Bins of the expected calibration error (Guo 2017).")
    latency_photos: int = Field(50, ge=5, description="Photos timed, one at a time, for the latency.")
    audit_photos: int = Field(
        3000, ge=0, description="Photos audited for leakage and background bias, approximately; 0: none."
    )
    extended: bool = Field(
        False,
        description="Also measure what takes minutes: robustness to blur, noise, shadows and other "
        "corruptions; cost and gain of each runtime, precision and test-time augmentation.",
    )
    robustness_photos: int = Field(
        200, ge=10, description="Test photos of the robustness benchmark (with extended)."
    )
    variant_photos: int = Field(
        300, ge=10, description="Test photos on which inference variants are compared (with extended)."
    )
    ood_data: str = Field(
        "",
        description="Out-of-distribution photos: they show none of the classes, any source; the share that "
        "is detected is reported.",
    )
    external_data: str = Field(
        "",
        description="External test set: class folders of labelled photos from elsewhere; the loss of "
        "accuracy there is reported.",
    )
    external_class_map: str = Field(
        "",
        description="CSV with the columns folder,class, for folders of external_data whose names do not "
        "match a class.",
    )
