"""Exports a trained model to a bundle; every format is compared with the trained model."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phytoflow.bundle.bundle import TEST_PHOTOS, TRAINING_PHOTOS, write_manifest
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
from phytoflow.export.drift_reference import write_drift_reference
from phytoflow.export.formats import write_format
from phytoflow.export.ood_statistics import fit_ood_statistics
from phytoflow.export.parity import compare, predict_exported, require_parity
from phytoflow.export.photo_selection import select_test_photos, stratified_indices
from phytoflow.export.postprocessing import append_postprocessing
from phytoflow.export.quantization.int8 import add_int8
from phytoflow.export.serving_module import ServingModule
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.models.checkpoint import TrainedModel, load_trained
from phytoflow.models.factory import DEFAULT_FINETUNE_BLOCKS
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
    """Writes the bundle: model files compared with the trained model on test photos, and probe photos.

    The folder appears complete or not at all. Running it again replaces it with the same content.

    Args:
        model_folder: What training wrote.
        dataset: Its test photos are compared.
        settings: Formats and tolerances.
        provenance: Where the model comes from; recorded as it is.
        output: The bundle's folder.
        name: Name of the model where it is served.

    Raises:
        ParityError: An exported file is too far from the trained model.
        DataError: There is no test photo to compare on.
        StorageError: There is no trained model, or the disk is full or cannot be written.
    """
    trained = load_trained(model_folder)
    photos = select_test_photos(dataset, settings.max_parity_photos)
    with atomic_folder(output) as folder:
        (folder / TRAINING_PHOTOS).write_text("".join(f"{digest}\n" for digest in _training_photos(dataset)))
        (folder / TEST_PHOTOS).write_text("".join(_test_photos(dataset)))
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

    ``known`` holds the photos that OOD detection and int8 are fitted on; without it the bundle has neither.
    """
    module = ServingModule(trained.model.eval().cpu().float(), _count_frozen_parts(trained)).eval()
    temperature = float(trained.summary.get("temperature", 1.0))
    tensors = np.stack([trained.preprocessing(p.content) for p in track(photos, "Preprocessing test photos")])
    reference = softmax(_predict_logits(trained.model, tensors), temperature)
    example = torch.from_numpy(tensors[np.arange(2) % len(tensors)])
    models: dict[ModelFormat, ModelFile] = {}
    for model_format in settings.formats:
        path = write_format(model_format, module, example, folder)
        models[model_format] = _verify(model_format, path, tensors, reference, temperature, settings)
    manifest = BundleManifest(
        name=name,
        classes=tuple(trained.classes),
        backbone=trained.summary["model"]["backbone"],
        head=trained.summary["model"]["head"],
        parameters=sum(parameter.numel() for parameter in trained.model.parameters()),
        preprocessing=trained.preprocessing,
        temperature=temperature,
        models=models,
        probes=_write_probes(photos, reference, settings.probe_photos, folder),
        provenance=provenance,
        early_features=_count_early_features(module, example),
        ood=_fit_ood_statistics(folder, models, trained, known, settings) if known else None,
    )
    _write_class_mapping(manifest.classes, folder)
    if known:
        manifest = write_drift_reference(folder, manifest, known, _trained_on(trained))
    if settings.int8 and known:
        manifest = add_int8(folder, manifest, known, photos, tensors, settings)
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
    return fit_ood_statistics(folder, models, trained.preprocessing, known, settings, _trained_on(trained))


def _trained_on(trained: TrainedModel) -> Sequence[str]:
    # A model whose summary does not say it may have been trained on its validation photos.
    return trained.summary.get("trained_on", ("train", "validation"))


def _count_frozen_parts(trained: TrainedModel) -> int:
    """Parts of the body that fine-tuning leaves as they are."""
    training = trained.summary.get("training", {})
    blocks = training.get("finetune_blocks", DEFAULT_FINETUNE_BLOCKS)
    return max(1, len(trained.model.body) - 1 - blocks)


def _count_early_features(module: ServingModule, example: torch.Tensor) -> int:
    with torch.no_grad():
        return int(module(example)[1].shape[1]) - int(module.head_inputs)


def _predict_logits(model: torch.nn.Module, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        starts = range(0, len(tensors), _BATCH)
        return torch.cat([model(torch.from_numpy(tensors[i : i + _BATCH])) for i in starts]).numpy()


def _verify(
    model_format: ExportFormat,
    path: Path,
    tensors: NDArray[np.float32],
    reference: NDArray[np.float32],
    temperature: float,
    settings: ExportSettings,
) -> ModelFile:
    """Compares an exported file with the trained model; raises ParityError if they differ too much."""
    parity = compare(reference, predict_exported(model_format, path, tensors, temperature))
    require_parity(model_format, parity, settings)
    _LOG.info(
        "%s: %d photos, largest difference %.1e, same class for %.2f%%",
        model_format,
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


def _write_probes(
    photos: Sequence[LabelledPhoto], reference: NDArray[np.float32], count: int, folder: Path
) -> tuple[ProbePhoto, ...]:
    (folder / PROBES).mkdir()
    probes = []
    for number, index in enumerate(stratified_indices([photo.label for photo in photos], count)):
        photo = photos[index]
        file = f"{PROBES}/{number:02d}{Path(photo.path).suffix.lower()}"
        (folder / file).write_bytes(photo.content)
        probabilities = tuple(float(value) for value in reference[index])
        probes.append(ProbePhoto(file=file, label=photo.label, probabilities=probabilities))
    return tuple(probes)


def _write_class_mapping(classes: tuple[str, ...], folder: Path) -> None:
    mapping = {str(index): label for index, label in enumerate(classes)}
    text = json.dumps(mapping, indent=2, ensure_ascii=False)
    (folder / "class_mapping.json").write_text(text + "\n", encoding="utf-8")


def _training_photos(dataset: Dataset) -> list[str]:
    """SHA-256 of each photo that shaped the model: validation photos select it, and may be fitted on too."""
    table = dataset.table
    return sorted(set(table.loc[table["split"].isin(["train", "validation"]), "sha256"]))


def _test_photos(dataset: Dataset) -> list[str]:
    """Lines of ``test_photos.csv``: the photos that the model is judged by must never be trained on."""
    table = dataset.table
    rows = table.loc[table["split"] == "test", ["sha256", "phash"]].drop_duplicates().sort_values("sha256")
    return ["sha256,phash\n", *(f"{sha256},{phash}\n" for sha256, phash in rows.itertuples(index=False))]
