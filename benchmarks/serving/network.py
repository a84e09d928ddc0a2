"""The default network with a head whose answers differ from photo to photo, without training it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from phytoflow.bundle.manifest import Provenance
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.export.export import write_bundle
from phytoflow.export.settings import ExportSettings
from phytoflow.models.checkpoint import TrainedModel, save_trained
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.storage.atomic import atomic_folder

_SPREAD = 2.0
_KNOWN = 600  # of each class; two thirds are training photos


def write(output: Path, photos: Sequence[LabelledPhoto]) -> None:
    """Writes ``bundle``, and ``model``, the trained form: textbook servers load that."""
    torch.manual_seed(0)
    settings, classes = ModelSettings(), sorted({photo.label for photo in photos})
    model, preprocessing = create_model(settings, len(classes)), preprocessing_for(settings)
    _spread(model, torch.from_numpy(np.stack([preprocessing(photo.content) for photo in photos])))
    trained = TrainedModel(model, tuple(classes), preprocessing, {"model": settings.model_dump(mode="json")})
    with atomic_folder(output / "model") as aside:
        save_trained(aside, model, trained.classes, preprocessing, trained.summary)
    known = _known(output / "known", preprocessing)
    provenance = Provenance(data_hash="benchmark", code_version="benchmark", settings={})
    with atomic_folder(output / "bundle") as aside:
        write_bundle(trained, photos, ExportSettings(), provenance, aside, known=known)


def _known(folder: Path, preprocessing: Preprocessing) -> Dataset:
    """Known photos for novelty detection, as many as by default: its cost is part of our responses."""
    if not (folder / "photos").exists():
        make_synthetic_dataset(folder / "photos", photos_per_class=_KNOWN)
    if not (folder / "dataset").exists():
        prepare(str(folder / "photos"), DataSettings(), preprocessing, 0, folder / "dataset")
    return Dataset.open(folder / "dataset")


def _spread(model: torch.nn.Module, tensors: torch.Tensor) -> None:
    """Centres and scales the logits over the photos: with an untrained head all answers would be alike."""
    with torch.no_grad():
        logits = model(tensors)
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
        scale = _SPREAD / logits.std(dim=0)
        linear.weight *= scale[:, None]
        linear.bias.copy_((linear.bias - logits.mean(dim=0)) * scale)
