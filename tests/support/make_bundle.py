"""A small real bundle: our own CNN with random weights, on pictures whose answers differ."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from phytoflow.bundle.bundle import write_manifest
from phytoflow.bundle.manifest import BundleManifest, ModelFile, ProbePhoto, Provenance
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.storage.checksum import file_sha256

CLASSES = ("blight", "healthy", "rust")
SIDE = 64


def pictures(count: int = 12) -> list[LabelledPhoto]:
    """Encoded pictures, JPEG and PNG by turns, of varied colours, sizes and textures."""
    random = np.random.default_rng(7)
    found = []
    for index in range(count):
        height, width = (int(side) for side in random.integers(80, 200, 2))
        y, x = np.mgrid[0:height, 0:width]
        waves = np.stack([np.sin(x / a + y / b) for a, b in random.uniform(3, 40, (3, 2))], -1)
        pixels = (random.uniform(60, 190, 3) + 60 * waves).clip(0, 255).astype(np.uint8)
        kind = ("JPEG", "PNG")[index % 2]
        label = CLASSES[index % len(CLASSES)]
        found.append(
            LabelledPhoto(f"{label}/{index:02d}.{kind.lower()}", label, str(index), encode(pixels, kind))
        )
    return found


def encode(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """uint8 [H, W, 3] as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def trained_model(seed: int = 0, backbone: str = "attention_cnn", side: int = SIDE):  # type: ignore[no-untyped-def]  # torch is imported only where it is needed
    """An untrained network whose head is scaled until its answers differ clearly."""
    import torch

    from phytoflow.models.checkpoint import TrainedModel
    from phytoflow.models.factory import create_model, preprocessing_for
    from phytoflow.models.settings import ModelSettings

    settings = ModelSettings(backbone=backbone, weights="none", image_size=side)
    torch.manual_seed(seed)
    model = create_model(settings, len(CLASSES)).eval()
    preprocessing = preprocessing_for(settings)
    _spread(model, torch.from_numpy(np.stack([preprocessing(photo.content) for photo in pictures()])))
    return TrainedModel(
        model, CLASSES, preprocessing, {"model": settings.model_dump(mode="json"), "temperature": 1.3}
    )


def _spread(model, tensors) -> None:  # type: ignore[no-untyped-def]
    """Centres and scales the logits over the pictures: every class is some picture's answer."""
    import torch

    with torch.no_grad():
        logits = model(tensors)
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
        scale = 2 / logits.std(dim=0)
        linear.weight *= scale[:, None]
        linear.bias.copy_((linear.bias - logits.mean(dim=0)) * scale)


def make_bundle(
    folder: Path,
    formats: Sequence[str] = ("torchscript", "onnx"),
    seed: int = 0,
    backbone: str = "attention_cnn",
    side: int = SIDE,
) -> Path:
    """Writes a bundle as the export step does."""
    from phytoflow.export.export import write_bundle
    from phytoflow.export.settings import ExportSettings
    from phytoflow.storage.atomic import atomic_folder

    provenance = Provenance(data_hash="0" * 16, code_version="test", settings={})
    settings = ExportSettings(formats=tuple(formats), probe_photos=6)
    with atomic_folder(folder) as aside:
        write_bundle(trained_model(seed, backbone, side), pictures(), settings, provenance, aside)
    return folder


def make_manifest(folder: Path, **changes: object) -> BundleManifest:
    """A bundle's folder whose model and photo are a few bytes; for tests that run no model.

    Args:
        folder: Where to; made if it is not there.
        changes: Other values of the manifest's fields.
    """
    (folder / "probes").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(b"a model")
    (folder / "probes" / "0.jpg").write_bytes(b"a photo")
    model = ModelFile(
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        bytes=7,
        max_probability_difference=1e-6,
        top1_agreement=1,
        photos_compared=9,
    )
    fields: dict[str, object] = {
        "name": "leaf",
        "classes": ("healthy", "rust"),
        "backbone": "resnet18",
        "head": "linear",
        "parameters": 1000,
        "preprocessing": Preprocessing(),
        "models": {"onnx": model},
        "probes": (ProbePhoto(file="probes/0.jpg", label="rust", probabilities=(0.2, 0.8)),),
        "provenance": Provenance(data_hash="d", code_version="c", settings={}),
    }
    manifest = BundleManifest.model_validate(fields | changes)
    write_manifest(folder, manifest)
    return manifest


def altered_copy(bundle: Path, to: Path, by: float) -> Path:
    """The bundle with other probabilities recorded for its first probe."""
    copy = shutil.copytree(bundle, to)
    manifest = json.loads((copy / "bundle.json").read_text())
    first = manifest["probes"][0]["probabilities"]
    first[0], first[1] = first[0] + by, first[1] - by
    (copy / "bundle.json").write_text(json.dumps(manifest))
    return copy
