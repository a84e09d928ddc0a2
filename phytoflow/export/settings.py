"""Settings of the export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phytoflow.settings_base import Fraction, Section, Share


class ExportSettings(Section):
    """The forms the model is exported to, and how close each must be."""

    formats: tuple[Literal["torchscript", "onnx"], ...] = Field(
        ("torchscript", "onnx"), min_length=1, description="Forms written into the bundle."
    )
    max_probability_difference: float = Field(
        1e-3, gt=0, description="Largest allowed difference of a probability."
    )
    min_top1_agreement: Share = Field(0.999, description="Least share of photos given the same class.")
    probe_photos: int = Field(
        8, ge=1, le=64, description="Test photos kept in the bundle with their answers."
    )
    max_parity_photos: int = Field(256, ge=1, description="Most test photos compared.")
    int8: bool = Field(
        False, description="Also try static int8; kept only where it agrees and is really faster here."
    )
    int8_calibration_photos: int = Field(128, ge=8, description="Training photos that calibrate int8.")
    int8_min_agreement: Share = Field(0.99, description="Least share of photos given float's class.")
    int8_max_accuracy_drop: Share = Field(
        0.01, description="Most accuracy that int8 may lose on test photos."
    )
    ood_reference_photos: int = Field(
        2000, ge=0, description="Most training photos that describe what is known; 0: strangers go unnoticed."
    )
    ood_false_positive_rate: Fraction = Field(
        0.03, description="Share of known photos that may be taken for strangers."
    )

    @model_validator(mode="after")
    def _int8_is_made_from_onnx(self) -> ExportSettings:
        if self.int8 and "onnx" not in self.formats:
            raise ValueError("int8 is made from onnx, which formats leaves out")
        return self
