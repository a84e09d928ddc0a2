"""How far answers may lie from the recorded ones: the one place for every comparison of probabilities."""

from __future__ import annotations

from typing import Literal

from phytoflow.bundle.manifest import BundleManifest
from phytoflow.inference.runtimes.base import Precision

# Largest absolute difference of a probability. Float runtimes and machines agree to about 1e-5. bf16 has 8
# bits of significand: probabilities of uncertain photos moved by up to 0.06 on trained models. An int8 model
# states its own tolerance in the manifest; 0.1 is for those that do not.
TOLERANCES: dict[Precision, float] = {"float32": 1e-3, "bf16": 0.1, "int8": 0.1}


def allowed_difference(manifest: BundleManifest, precision: Precision | Literal["auto"]) -> float:
    """Largest difference of a probability from the recorded one, for a bundle's model in a precision.

    With ``auto`` a predictor selects the precision on its own machine: the largest of all holds.
    """
    if precision == "auto":
        selectable = [name for name in TOLERANCES if name != "int8" or name in manifest.models]
        return max(allowed_difference(manifest, name) for name in selectable)
    stated = manifest.models["int8"].tolerance if precision == "int8" else None
    return TOLERANCES[precision] if stated is None else stated
