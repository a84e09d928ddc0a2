"""Settings of the export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phytoflow.settings_base import Fraction, Section, Share


class ExportSettings(Section):
    """The formats the model is exported to, and how close each must be to the trained model."""

    formats: tuple[Literal["torchscript", "onnx"], ...] = Field(
        ("torchscript", "onnx"), min_length=1, description="Formats written into the bundle."
    )
    max_probability_difference: float = Field(
        1e-3, gt=0, description="Maximum difference of a probability from the trained model's."
    )
    min_top1_agreement: Share = Field(
        0.999, description="Minimum share of photos that get the trained model's class."
    )
    probe_photos: int = Field(
        8, ge=1, le=64, description="Test photos kept in the bundle with their probabilities."
    )
    max_parity_photos: int = Field(256, ge=1, description="Maximum number of test photos compared.")
    int8: bool = Field(
        False, description="Also try static int8; kept only if it agrees and is faster on this machine."
    )
    int8_calibration_photos: int = Field(128, ge=8, description="Training photos that calibrate int8.")
    int8_min_agreement: Share = Field(
        0.99, description="Minimum share of photos that int8 gives the float model's class."
    )
    int8_max_accuracy_drop: Share = Field(
        0.01, description="Maximum accuracy that int8 may lose on test photos."
    )
    ood_reference_photos: int = Field(
        2000,
        ge=0,
        description="Maximum number of training photos that describe the known classes; 0: no OOD detection.",
    )
    ood_false_positive_rate: Fraction = Field(
        0.03, description="Share of known photos that may be taken for out-of-distribution photos."
    )

    @model_validator(mode="after")
    def _require_onnx_for_int8(self) -> ExportSettings:
        if self.int8 and "onnx" not in self.formats:
            raise ValueError("int8 is made from onnx, which formats leaves out")
        return self
