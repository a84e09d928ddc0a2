"""A bundle of the default network whose answers differ from photo to photo, without training it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from phytoflow.config import ExportSettings, ModelSettings
from phytoflow.data.photo import LabelledPhoto
from phytoflow.data.sample import make_sample
from phytoflow.export.export import write_bundle
from phytoflow.models.bundle import Provenance
from phytoflow.models.checkpoint import TrainedModel, save_trained
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.storage.atomic import atomic_folder

MODEL, BUNDLE, PHOTOS = "model", "bundle", "photos"
_PER_CLASS = 12
_SPREAD = 2.0


def load_photos(folder: Path) -> list[LabelledPhoto]:
    """Every JPEG of a class-folder tree, sorted by path."""
    return [
        LabelledPhoto(path.relative_to(folder).as_posix(), path.parent.name, path.stem, path.read_bytes())
        for path in sorted(folder.rglob("*.jp*g"))
    ]


def prepare(output: Path, photos: Path | None) -> tuple[Path, list[LabelledPhoto]]:
    """Draws photos where none are given, and writes the model and the bundle once.

    Args:
        output: Where they are kept.
        photos: A class-folder tree of JPEGs; None: leaves are drawn.

    Returns:
        The bundle's folder and the photos to ask about.
    """
    drawn = output / PHOTOS
    if photos is None and not drawn.exists():
        make_sample(drawn, photos_per_class=_PER_CLASS)
    found = load_photos(photos or drawn)
    if not (output / BUNDLE).exists():
        _write(output, found[:: max(1, len(found) // 32)])
    return output / BUNDLE, found


def _write(output: Path, photos: Sequence[LabelledPhoto]) -> None:
    """The trained form too: textbook servers load that."""
    torch.manual_seed(0)
    settings, classes = ModelSettings(), sorted({photo.label for photo in photos})
    model, preprocessing = create_model(settings, len(classes)), preprocessing_for(settings)
    _spread(model, torch.from_numpy(np.stack([preprocessing(photo.content) for photo in photos])))
    trained = TrainedModel(model, tuple(classes), preprocessing, {"model": settings.model_dump(mode="json")})
    with atomic_folder(output / MODEL) as aside:
        save_trained(aside, model, trained.classes, preprocessing, trained.facts)
    provenance = Provenance(data_hash="benchmark", code_version="benchmark", settings={})
    with atomic_folder(output / BUNDLE) as aside:
        write_bundle(trained, photos, ExportSettings(), provenance, aside)


def _spread(model: torch.nn.Module, tensors: torch.Tensor) -> None:
    """Centres and scales the logits over the photos: with an untrained head all answers would be alike."""
    with torch.no_grad():
        logits = model(tensors)
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
        scale = _SPREAD / logits.std(dim=0)
        linear.weight *= scale[:, None]
        linear.bias.copy_((linear.bias - logits.mean(dim=0)) * scale)
