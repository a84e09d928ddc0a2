"""The bundle: one folder that training hands to serving.

::

    bundle.json            manifest (phytoflow.bundle.manifest)
    model.torchscript.pt   the model, float32 [N, 3, size, size] to logits float32 [N, C], features
    model.onnx             float32 [N, D] and, for most heads, evidence float32 [N, C, h, w]; at least one of
                           the two files. ONNX files go on to probabilities float32 [N, C] and novelty
                           float32 [N].
    model.int8.onnx        the same with int8 weights and activations, if that was worth it
    ood_statistics.npz     statistics of the features of known photos
    drift_reference.npz    unseen photos as the model answers them, with which served photos are compared
    class_mapping.json     {"0": "healthy", ...}
    probes/                a few photos; their recorded probabilities are in the manifest
    training_photos.txt    SHA-256 of each training photo, one a line
    test_photos.csv        SHA-256 and perceptual hash of each test photo
    metrics.json, report.html, model_card.md     added after the evaluation

Bundles of schema 1 give logits only, those of schema 1 and 2 have no int8 model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from phytoflow.bundle.manifest import SCHEMA_VERSION, BundleManifest, ModelFormat
from phytoflow.data.feedback.held_out import HeldOutPhotos
from phytoflow.errors import BundleError
from phytoflow.storage.checksum import file_sha256

MANIFEST = "bundle.json"
TRAINING_PHOTOS = "training_photos.txt"
TEST_PHOTOS = "test_photos.csv"
_TEST_PHOTO = re.compile(r"^([0-9a-f]{64}),([0-9a-f]{16})$", re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk.

    Attributes:
        path: Its folder.
        manifest: The content of its ``bundle.json``.
    """

    path: Path
    manifest: BundleManifest

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Bundle:
        """Opens a bundle.

        Args:
            path: The bundle's folder.
            verify: Check model files, OOD statistics and drift reference against their recorded hashes.

        Raises:
            BundleError: There is no bundle, its schema is not supported, or a file is missing or altered.
        """
        bundle = cls(Path(path), _read_manifest(Path(path)))
        if verify:
            for model in bundle.manifest.models.values():
                _verify(bundle.path / model.file, model.sha256)
            for part in (bundle.manifest.ood, bundle.manifest.drift_reference):
                if part:
                    _verify(bundle.path / part.file, part.sha256)
        return bundle

    def model_path(self, model_format: ModelFormat) -> Path:
        """Path of the model file of a format; raises BundleError if the bundle has none."""
        models = self.manifest.models
        if model_format not in models:
            raise BundleError(
                f"{self.path} has no {model_format} model, only {', '.join(models)}",
                remedy="choose a runtime that reads one of these, or export the bundle again",
            )
        return self.path / models[model_format].file

    def probe_contents(self) -> list[bytes]:
        """The encoded probe photos, in the manifest's order."""
        return [(self.path / probe.file).read_bytes() for probe in self.manifest.probes]

    def training_photos(self) -> frozenset[str]:
        """SHA-256 of each photo the model was trained on; empty if the bundle has no list of them."""
        file = self.path / TRAINING_PHOTOS
        return frozenset(file.read_text().split()) if file.exists() else frozenset()

    def test_photos(self) -> HeldOutPhotos:
        """The test photos of the model.

        Raises:
            BundleError: The bundle has no list of them: it was exported before bundles had one.
        """
        file = self.path / TEST_PHOTOS
        rows = _TEST_PHOTO.findall(file.read_text()) if file.exists() else []
        if not rows:
            what = f"{self.path} does not say which photos its model was tested on"
            remedy = "train it again with this version of phytoflow: its bundle will have a test_photos.csv"
            raise BundleError(what, remedy=remedy)
        return HeldOutPhotos.of(rows)

    def count_trained_on(self, digests: Iterable[str]) -> int | None:
        """Counts the photos that the model was trained on.

        Args:
            digests: SHA-256 of each photo.

        Returns:
            How many of them; None if the bundle has no list of training photos.
        """
        training = self.training_photos()
        return sum(digest in training for digest in digests) if training else None


def write_manifest(folder: Path, manifest: BundleManifest) -> None:
    """Writes a bundle's manifest. Call it last: a folder with a manifest counts as complete."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")


def _read_manifest(path: Path) -> BundleManifest:
    try:
        text = (path / MANIFEST).read_text()
        return BundleManifest.model_validate_json(text)
    except FileNotFoundError as error:
        remedy = "give the folder that `phytoflow run` wrote as OUTPUT/bundle"
        raise BundleError(f"no bundle at {path}: {MANIFEST} is missing", remedy=remedy) from error
    except ValidationError as error:
        raise _explain(path / MANIFEST, text, error) from error


def _explain(file: Path, text: str, error: ValidationError) -> BundleError:
    version = _schema_version(text)
    if version > SCHEMA_VERSION:
        what = f"{file} has schema {version}; this version of phytoflow reads up to schema {SCHEMA_VERSION}"
        return BundleError(what, remedy="install a newer phytoflow, or export the model with this one")
    first = error.errors()[0]
    what = f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return BundleError(what, remedy="export the model again with this version of phytoflow")


def _schema_version(text: str) -> int:
    """The schema version that a damaged or unknown manifest names; 0 if it names none."""
    try:
        return int(json.loads(text)["schema_version"])
    except (ValueError, KeyError, TypeError):
        return 0


def _verify(path: Path, sha256: str) -> None:
    if not path.exists():
        raise BundleError(f"{path} is missing", remedy="fetch or export the bundle again")
    if file_sha256(path) != sha256:
        raise BundleError(f"{path} is not the file its manifest describes", remedy="fetch or export it again")
