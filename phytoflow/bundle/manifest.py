"""``bundle.json``: classes, preprocessing, model files, probe photos and provenance of a bundle."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from phytoflow.bundle.legacy import upgrade_manifest
from phytoflow.bundle.reports import DriftReference, Int8Report, ManifestPart, OodDetection
from phytoflow.data.images.preprocessing import Preprocessing

SCHEMA_VERSION: Final = 4
ExportFormat = Literal["torchscript", "onnx"]
"""Formats that a trained model is exported to."""
ModelFormat = Literal["torchscript", "onnx", "int8"]
"""Formats of a bundle's model files; ``int8`` is a quantized ONNX file."""


class ModelFile(ManifestPart):
    """A model file, compared with the trained model on test photos.

    Attributes:
        file: Path within the bundle.
        sha256: Hash of its content.
        bytes: Its size.
        max_probability_difference: Largest difference of a probability from the trained model's.
        top1_agreement: Share of photos given the trained model's class, 0 to 1.
        photos_compared: Number of test photos.
        tolerance: Largest difference from a probe photo's recorded probability at which a predictor may still
            serve this file; None: the tolerance of its precision (``phytoflow.inference.selection.trial``).
    """

    file: str
    sha256: str
    bytes: int
    max_probability_difference: float
    top1_agreement: float
    photos_compared: int
    tolerance: float | None = None


class ProbePhoto(ManifestPart):
    """A photo kept in the bundle, by which a predictor checks itself when it starts.

    Attributes:
        file: Path within the bundle.
        label: Its true class.
        probabilities: What the trained model gave for it, calibrated; [C].
    """

    file: str
    label: str
    probabilities: tuple[float, ...]


class Provenance(ManifestPart):
    """Where a bundle comes from.

    Attributes:
        data_hash: Hash of the photos, labels and split.
        code_version: Version and content hash of the code that trained it.
        settings: All settings of the run.
        run_id: MLflow run, if any.
        created: UTC time, ISO 8601.
        weights: What the training started from, and its licence. Empty in older bundles.
    """

    data_hash: str
    code_version: str
    settings: dict[str, Any]
    run_id: str = ""
    created: str = ""
    weights: str = ""


class BundleManifest(ManifestPart):
    """The content of ``bundle.json``.

    Schema 2 added OOD detection, schema 3 int8, schema 4 new key names. Older manifests are upgraded when
    they are read.

    Attributes:
        schema_version: Version of this format.
        name: Default name of the served model.
        classes: Class names, in the order of the outputs.
        backbone: The network without its head.
        head: Kind of the classification head.
        parameters: Number of parameters of the network.
        preprocessing: How a decoded photo becomes the network's input.
        temperature: Logits are divided by this before softmax.
        models: The model files by format.
        probes: Photos by which a predictor checks itself when it starts.
        provenance: Data, code and settings that the bundle was made from.
        ood: How to tell photos that show none of the classes; None if the bundle cannot.
        int8: Outcome of int8 quantization; None if it was not requested.
        early_features: Number of features, counted from the first, of layers that were not fine-tuned.
        drift_reference: Photos that served ones are compared with; None in older bundles, or if there were
            too few.
    """

    schema_version: Literal[4] = SCHEMA_VERSION
    name: str
    classes: tuple[str, ...] = Field(min_length=2)
    backbone: str
    head: str
    parameters: int
    preprocessing: Preprocessing
    temperature: float = Field(1.0, gt=0, description="Logits are divided by this before softmax.")
    models: dict[ModelFormat, ModelFile]
    probes: tuple[ProbePhoto, ...] = Field(min_length=1)
    provenance: Provenance
    ood: OodDetection | None = None
    int8: Int8Report | None = None
    early_features: int = Field(
        0, ge=0, description="Features, counted from the first, of layers that were not fine-tuned."
    )
    drift_reference: DriftReference | None = None

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, document: Any) -> Any:
        return upgrade_manifest(document) if isinstance(document, dict) else document

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that name the content: the same models and answers, the same version."""
        content: dict[str, Any] = {
            "models": {name: model.sha256 for name, model in sorted(self.models.items())},
            "classes": self.classes,
            "preprocessing": self.preprocessing.model_dump(),
            "temperature": self.temperature,
        }
        if self.ood:
            # "open_set" is the key of schema 3: under another one every old bundle would change its version.
            content["open_set"] = self.ood.model_dump(include={"sha256", "method", "typical", "threshold"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
