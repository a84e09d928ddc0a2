"""The bundle: what training hands to serving, in one folder.

::

    bundle.json            manifest (phytoflow.bundle.manifest)
    model.torchscript.pt   and/or model.onnx: float32 [N, 3, size, size] -> logits float32 [N, C], and since
                           schema 2 features float32 [N, D] and perhaps evidence float32 [N, C, h, w]
                           ONNX files may go on to what follows from these: probabilities float32 [N, C]
                           and novelty float32 [N]
    model.int8.onnx        since schema 3, where it was worth it: the same with int8 weights and activations
    open_set.npz           since schema 2: what the features of known photos look like
    class_mapping.json     {"0": "healthy", ...}
    probes/                a few photos; their recorded probabilities are in the manifest
    training_photos.txt    sha256 of each training photo, one a line
    metrics.json, report.html, model_card.md     added once evaluated
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from phytoflow.bundle.manifest import BundleManifest, Form
from phytoflow.errors import BundleError
from phytoflow.storage.checksum import file_sha256

MANIFEST = "bundle.json"
TRAINING_PHOTOS = "training_photos.txt"


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
