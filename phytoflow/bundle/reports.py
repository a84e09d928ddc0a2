"""Parts of the manifest that report a measurement: OOD detection and int8."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Method = Literal[
    "max_probability",
    "energy",
    "mahalanobis",
    "relative_mahalanobis",
    "nearest_neighbours",
    "mean_neighbours",
]
METHODS: tuple[Method, ...] = get_args(Method)


class ManifestPart(BaseModel):
    """A part of the manifest: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class OodScoreMetrics(ManifestPart):
    """How well an OOD score separates known photos from others.

    Attributes:
        near: Near-OOD AUROC: the photos of one class against those of the others, with statistics that lack
            that class; the mean over classes. None with fewer than three classes.
        far: Far-OOD AUROC: synthetic outliers (noise, waves, plain colours) against known photos.
    """

    near: float | None
    far: float


class OodDetection(ManifestPart):
    """How to tell photos that show none of the classes.

    Attributes:
        file: Feature statistics of known photos, within the bundle.
        sha256: Hash of that file.
        method: The score in use, chosen by ``scores``.
        typical: The score of a typical known photo; it is mapped to novelty 0.
        threshold: The score above which a photo is out of distribution; it is mapped to novelty 1.
        known_photos: Number of known photos that set the two.
        false_positive_rate: Share of these photos above the threshold, 0 to 1.
        scores: Metrics of all scores that were compared.
    """

    file: str
    sha256: str
    method: Method
    typical: float
    threshold: float
    known_photos: int
    false_positive_rate: float
    scores: dict[Method, OodScoreMetrics]


class DriftReference(ManifestPart):
    """Photos that the model never saw, with which served photos are compared (``phytoflow.monitoring``).

    Attributes:
        file: What the model makes of them, within the bundle.
        sha256: Hash of that file.
        photos: Number of photos.
        split: ``validation``, or ``test`` if the network was trained on validation photos too.
    """

    file: str
    sha256: str
    photos: int
    split: Literal["validation", "test"]


class Int8Trial(ManifestPart):
    """The int8 model compared with the float model, both run by the same runtime.

    Attributes:
        runtime: The runtime.
        accuracy: Accuracy of the int8 model on the test photos compared, 0 to 1.
        float_accuracy: Accuracy of the float model on the same photos.
        agreement: Share of photos that get the float model's class.
        known_agreement: Share of photos judged known or unknown as by the float model; None without OOD
            detection.
        max_difference: Largest difference of a probability.
        mean_difference: Mean difference of a probability.
        probe_difference: Largest difference on a probe photo; None if a probe photo changes its class.
        milliseconds: Median time for one photo on one thread, without decoding.
        float_milliseconds: The same for the float model; the two were timed alternately.
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


class Int8Report(ManifestPart):
    """The outcome of int8 quantization.

    Attributes:
        rejection_reason: Why the bundle has no int8 model; empty if it has one.
        recipe: How the model was quantized.
        photos: Number of test photos compared.
        bytes: Size of the int8 file.
        float_bytes: Size of the float file it was made from.
        trials: One for each runtime.
    """

    rejection_reason: str
    recipe: str
    photos: int
    bytes: int
    float_bytes: int
    trials: tuple[Int8Trial, ...]
