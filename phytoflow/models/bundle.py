"""The bundle: what training hands to serving, in one folder.

::

    bundle.json            manifest (this module's BundleManifest)
    model.torchscript.pt   and/or model.onnx: float32 [N, 3, size, size] -> logits float32 [N, C], and since
                           schema 2 features float32 [N, D] and perhaps evidence float32 [N, C, h, w]
    model.int8.onnx        since schema 3, where it was worth it: the same with int8 weights and activations
    open_set.npz           since schema 2: what the features of known photos look like
    class_mapping.json     {"0": "healthy", ...}
    probes/                a few photos; their recorded probabilities are in the manifest
    training_photos.txt    sha256 of each training photo, one a line
    metrics.json, report.html, model_card.md     added once evaluated
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from phytoflow.data.preprocessing import Preprocessing
from phytoflow.errors import BundleError
from phytoflow.openset.scores import Method

SCHEMA_VERSION: Final = 3
MANIFEST = "bundle.json"
TRAINING_PHOTOS = "training_photos.txt"
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


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk.

    Attributes:
        path: Its folder.
        manifest: What it says of itself.
    """

    path: Path
    manifest: BundleManifest

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Bundle:
        """Opens a bundle.

        Args:
            path: The bundle's folder.
            verify: Check every model file against its recorded hash.

        Raises:
            BundleError: No bundle is there, it is of another schema, or a file is missing or altered.
        """
        bundle = cls(Path(path), _read_manifest(Path(path)))
        if verify:
            for model in bundle.manifest.models.values():
                _verify(bundle.path / model.file, model.sha256)
            if known := bundle.manifest.open_set:
                _verify(bundle.path / known.file, known.sha256)
        return bundle

    def model_path(self, form: Form) -> Path:
        """Path of one exported form; raises BundleError if the bundle lacks it."""
        if form not in self.manifest.models:
            raise BundleError(f"{self.path} has no {form} model, only {', '.join(self.manifest.models)}")
        return self.path / self.manifest.models[form].file

    def probe_contents(self) -> list[bytes]:
        """The probe photos' bytes, in the manifest's order."""
        return [(self.path / probe.file).read_bytes() for probe in self.manifest.probes]

    def training_photos(self) -> frozenset[str]:
        """sha256 of each photo the model was trained on; empty if the bundle does not say."""
        file = self.path / TRAINING_PHOTOS
        return frozenset(file.read_text().split()) if file.exists() else frozenset()


def write_manifest(folder: Path, manifest: BundleManifest) -> None:
    """Writes a bundle's manifest; write it last, so that a folder with a manifest is whole."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> BundleManifest:
    try:
        return BundleManifest.model_validate_json((path / MANIFEST).read_text())
    except FileNotFoundError as error:
        remedy = "give the folder that `phytoflow run` wrote as OUTPUT/bundle"
        raise BundleError(f"no bundle at {path}: {MANIFEST} is missing", remedy=remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{path / MANIFEST}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BundleError(what, remedy="export the model again with this version of phytoflow") from error


def _verify(path: Path, sha256: str) -> None:
    if not path.exists():
        raise BundleError(f"{path} is missing", remedy="fetch or export the bundle again")
    if file_sha256(path) != sha256:
        raise BundleError(f"{path} is not the file its manifest describes", remedy="fetch or export it again")
