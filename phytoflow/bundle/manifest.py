"""What a bundle says of itself: the manifest, and the figures and facts in it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from phytoflow.data.images.preprocessing import Preprocessing

SCHEMA_VERSION: Final = 3
Exported = Literal["torchscript", "onnx"]
Form = Literal["torchscript", "onnx", "int8"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class ModelFile(_Part):
    """One exported form and how close it is to the trained model on test photos.

    Attributes:
        tolerance: Largest difference of a probe photo's probability that a predictor may find with this form;
            None: that of its precision.
    """

    file: str
    sha256: str
    bytes: int
    max_probability_difference: float
    top1_agreement: float
    photos_compared: int
    tolerance: float | None = None


class Int8Trial(_Part):
    """The int8 model through one runtime, beside the float model through the same.

    Attributes:
        runtime: What ran both.
        accuracy: Of int8 on the test photos compared, 0..1.
        float_accuracy: Of the float model on the same.
        agreement: Share of photos given the float model's class.
        known_agreement: Share of photos as known, or strange, as to the float model; None without open set.
        max_difference: Largest difference of a probability.
        mean_difference: Mean difference of a probability.
        probe_difference: Largest on a probe photo; None where one changes its class.
        milliseconds: Median of one photo, one thread, without decoding.
        float_milliseconds: Likewise of the float model, timed by turns.
    """

    runtime: str
    accuracy: float
    float_accuracy: float
    agreement: float
    known_agreement: float | None
    max_difference: float
    mean_difference: float
    probe_difference: float | None
    milliseconds: float
    float_milliseconds: float


class Int8(_Part):
    """What became of the try to serve in int8.

    Attributes:
        refused: Why it is not in the bundle, in words; empty if it is.
        recipe: How it was quantised.
        photos: Test photos compared.
        bytes: Size of its file.
        float_bytes: Of the float file it was made from.
        trials: One a runtime.
    """

    refused: str
    recipe: str
    photos: int
    bytes: int
    float_bytes: int
    trials: tuple[Int8Trial, ...]


class Probe(_Part):
    """A photo with the probabilities the trained model gave it (after calibration)."""

    file: str
    label: str
    probabilities: tuple[float, ...]


class Provenance(_Part):
    """Where a bundle comes from.

    Attributes:
        data_hash: Hash of the photos, labels and split.
        code_version: Version and content hash of the code that trained it.
        settings: Every setting of the run.
        run_id: MLflow run, if any.
        created: UTC time, ISO 8601.
    """

    data_hash: str
    code_version: str
    settings: dict[str, Any]
    run_id: str = ""
    created: str = ""


class ScoreFigures(_Part):
    """How well one score of strangeness tells known photos from strangers.

    Attributes:
        near: Mean AUROC of each class's photos against the others, the class left out of the statistics; None
            with fewer than three classes.
        far: AUROC of made-up pictures: noise, waves, plain colours and the like.
    """

    near: float | None
    far: float


class OpenSet(_Part):
    """How to tell a photo of something unknown.

    Attributes:
        file: Statistics of known photos' features.
        sha256: Of that file.
        method: The score used, by the figures of ``scores`` the best.
        typical: The score of a typical known photo; it becomes novelty 0.
        threshold: The score above which a photo is a stranger; it becomes novelty 1.
        known_photos: Known photos that set the two.
        refused: Share of these beyond the threshold.
        scores: Figures of every score that was compared.
    """

    file: str
    sha256: str
    method: Method
    typical: float
    threshold: float
    known_photos: int
    refused: float
    scores: dict[Method, ScoreFigures]


class BundleManifest(_Part):
    """What a bundle says of itself.

    Schema 2 adds ``open_set``, schema 3 ``int8``; older bundles are still read.
    """

    schema_version: Literal[1, 2, 3] = SCHEMA_VERSION
    name: str
    classes: tuple[str, ...] = Field(min_length=2)
    backbone: str
    head: str
    parameters: int
    preprocessing: Preprocessing
    temperature: float = Field(1.0, gt=0, description="Logits are divided by this before softmax.")
    models: dict[Form, ModelFile]
    probes: tuple[Probe, ...] = Field(min_length=1)
    provenance: Provenance
    open_set: OpenSet | None = None
    int8: Int8 | None = None
    early_features: int = Field(0, ge=0, description="How many of the features, the first, were not tuned.")

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that name this content: same models, same answers, same version."""
        facts: dict[str, Any] = {
            "models": {k: m.sha256 for k, m in sorted(self.models.items())},
            "classes": self.classes,
        }
        facts |= {"preprocessing": self.preprocessing.model_dump(), "temperature": self.temperature}
        if self.open_set:
            facts["open_set"] = self.open_set.model_dump(include={"sha256", "method", "typical", "threshold"})
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


Method = Literal[
    "max_probability",
    "energy",
    "mahalanobis",
    "relative_mahalanobis",
    "nearest_neighbours",
    "mean_neighbours",
]


METHODS: tuple[Method, ...] = get_args(Method)
