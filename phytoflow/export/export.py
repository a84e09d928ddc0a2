"""From a trained model to the bundle that serves it, checked form by form."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phytoflow.bundle.bundle import TRAINING_PHOTOS, write_manifest
from phytoflow.bundle.manifest import (
    BundleManifest,
    ExportFormat,
    ModelFile,
    ModelFormat,
    ProbePhoto,
    Provenance,
)
from phytoflow.bundle.reports import OodDetection
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.formats import write_format
from phytoflow.export.ood_statistics import fit_ood_statistics
from phytoflow.export.parity import answers, check, compare
from phytoflow.export.photo_selection import spread, test_photos
from phytoflow.export.postprocessing import append_postprocessing
from phytoflow.export.quantization.int8 import with_int8
from phytoflow.export.serving_module import Served
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.models.checkpoint import TrainedModel, load_trained
from phytoflow.models.factory import DEFAULT_TAIL_BLOCKS
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.progress import track

PROBES = "probes"
_BATCH = 8
_LOG = logging.getLogger(__name__)


def export(
    model_folder: Path,
    dataset: Dataset,
    settings: ExportSettings,
    provenance: Provenance,
    output: Path,
    *,
    name: str = "leaf",
) -> BundleManifest:
    """Writes the bundle: every form compared with the trained model on test photos, and probe photos.

    The folder appears whole or not at all; running it again replaces it with the same content.

    Args:
        model_folder: What training wrote.
        dataset: Its test photos are compared.
        settings: Forms and tolerances.
        provenance: Where the model comes from; recorded as it is.
        output: The bundle's folder.
        name: What the model is called where it is served.

    Raises:
        ParityError: An exported form is too far from the trained model.
        DataError: There is no test photo to compare on.
    """
    trained = load_trained(model_folder)
    photos = test_photos(dataset, settings.max_parity_photos)
    with atomic_folder(output) as folder:
        (folder / TRAINING_PHOTOS).write_text("".join(f"{digest}\n" for digest in _training_photos(dataset)))
        return write_bundle(trained, photos, settings, provenance, folder, name=name, known=dataset)


def write_bundle(
    trained: TrainedModel,
    photos: Sequence[LabelledPhoto],
    settings: ExportSettings,
    provenance: Provenance,
    folder: Path,
    *,
    name: str = "leaf",
    known: Dataset | None = None,
) -> BundleManifest:
    """Fills a bundle's folder; the manifest is written last. See ``export``.

    ``known`` is what strangers are told from; without it the bundle cannot tell them.
    """
    model = trained.model.eval().cpu().float()
    served = Served(model, _frozen_parts(trained)).eval()
    temperature = float(trained.facts.get("temperature", 1.0))
    tensors = np.stack([trained.preprocessing(p.content) for p in track(photos, "Preprocessing test photos")])
    reference = softmax(_logits(model, tensors), temperature)
    example = torch.from_numpy(tensors[np.arange(2) % len(tensors)])
    models: dict[ModelFormat, ModelFile] = {}
    for form in settings.formats:
        path = write_format(form, served, example, folder)
        models[form] = _verified(form, path, tensors, reference, temperature, settings)
    manifest = BundleManifest(
        name=name,
        classes=tuple(trained.classes),
        backbone=trained.facts["model"]["backbone"],
        head=trained.facts["model"]["head"],
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        preprocessing=trained.preprocessing,
        temperature=temperature,
        models=models,
        probes=_probes(photos, reference, settings.probe_photos, folder),
        provenance=provenance,
        early_features=_early_features(served, example),
        ood=_fit_ood_statistics(folder, models, trained, known, settings) if known else None,
    )
    mapping = {str(index): name for index, name in enumerate(manifest.classes)}
    (folder / "class_mapping.json").write_text(json.dumps(mapping, indent=2, ensure_ascii=False) + "\n")
    if settings.int8 and known:
        manifest = with_int8(folder, manifest, known, photos, tensors, settings)
    manifest = append_postprocessing(folder, manifest, tensors)
    write_manifest(folder, manifest)
    return manifest


def _fit_ood_statistics(
    folder: Path,
    models: dict[ModelFormat, ModelFile],
    trained: TrainedModel,
    known: Dataset,
    settings: ExportSettings,
) -> OodDetection | None:
    seen = trained.facts.get("trained_on", ("train", "validation"))  # a model that does not say may have
    return fit_ood_statistics(folder, models, trained.preprocessing, known, settings, seen)


def _frozen_parts(trained: TrainedModel) -> int:
    """Parts of the body whose weights training left as they were, or would have."""
    blocks = trained.facts.get("training", {}).get("finetune_blocks", DEFAULT_TAIL_BLOCKS)
    return max(1, len(trained.model.body) - 1 - blocks)


def _early_features(served: Served, example: torch.Tensor) -> int:
    with torch.no_grad():
        return int(served(example)[1].shape[1]) - int(served.head_inputs)


def _logits(model: torch.nn.Module, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        starts = range(0, len(tensors), _BATCH)
        return torch.cat([model(torch.from_numpy(tensors[i : i + _BATCH])) for i in starts]).numpy()


def _verified(
    form: ExportFormat,
    path: Path,
    tensors: NDArray[np.float32],
    reference: NDArray[np.float32],
    temperature: float,
    settings: ExportSettings,
) -> ModelFile:
    parity = compare(reference, answers(form, path, tensors, temperature))
    check(form, parity, settings)
    _LOG.info(
        "%s: %d photos, largest difference %.1e, same class for %.2f%%",
        form,
        parity.photos,
        parity.max_probability_difference,
        parity.top1_agreement * 100,
    )
    return ModelFile(
        file=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
        max_probability_difference=parity.max_probability_difference,
        top1_agreement=parity.top1_agreement,
        photos_compared=parity.photos,
    )


def _probes(
    photos: Sequence[LabelledPhoto], reference: NDArray[np.float32], count: int, folder: Path
) -> tuple[ProbePhoto, ...]:
    (folder / PROBES).mkdir()
    probes = []
    for number, index in enumerate(spread([photo.label for photo in photos], count)):
        photo = photos[index]
        file = f"{PROBES}/{number:02d}{Path(photo.path).suffix.lower()}"
        (folder / file).write_bytes(photo.content)
        values = tuple(float(value) for value in reference[index])
        probes.append(ProbePhoto(file=file, label=photo.label, probabilities=values))
    return tuple(probes)


def _training_photos(dataset: Dataset) -> list[str]:
    """Every photo that shaped the model: validation photos choose it, and may be fitted on too."""
    table = dataset.table
    return sorted(set(table.loc[table["split"].isin(["train", "validation"]), "sha256"]))
