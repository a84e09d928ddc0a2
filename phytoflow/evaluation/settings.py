"""Settings of the evaluation."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import Fraction, Section


class EvaluationSettings(Section):
    """How the figures are made."""

    bootstrap_samples: int = Field(1000, ge=100, description="Resamples of groups behind each interval.")
    confidence_level: Fraction = Field(0.95, description="Confidence of the intervals.")
    calibration_bins: int = Field(15, ge=2, description="Bins of the expected calibration error (Guo 2017).")
    latency_photos: int = Field(50, ge=5, description="Photos timed, one at a time, for the mean latency.")
    audit_photos: int = Field(
        3000, ge=0, description="Photos looked at for leaks and telling backgrounds, about; 0: none."
    )
    extended: bool = Field(
        False,
        description="Also measure what takes minutes: accuracy under blur, noise, shadow and the like; what "
        "each form and test-time augmentation costs and brings.",
    )
    robustness_photos: int = Field(200, ge=10, description="Test photos corrupted, where thorough.")
    variant_photos: int = Field(
        300, ge=10, description="Test photos asked in every form and with views averaged, where thorough."
    )
    ood_data: str = Field(
        "",
        description="Photos that show none of the classes, from wherever photos may come; how many are "
        "noticed is reported.",
    )
    external_data: str = Field(
        "", description="Class folders of labelled photos from elsewhere; how much is lost there is reported."
    )
    external_class_map: str = Field(
        "", description="CSV with columns folder,class: what folders of field show whose names do not say."
    )
