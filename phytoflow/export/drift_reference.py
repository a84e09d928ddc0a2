"""Writes a bundle's drift reference: photos that the model never saw, as the exported model answers them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import numpy as np

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest
from phytoflow.bundle.reports import DriftReference
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.ood_statistics import open_exported, run_split
from phytoflow.inference.predictions import softmax
from phytoflow.monitoring.observations import observe
from phytoflow.monitoring.reference import FEWEST, Reference
from phytoflow.ood.detector import OodDetector
from phytoflow.storage.checksum import file_sha256

FILE = "drift_reference.npz"
_MOST = 1000  # photos: 200 kB, and a few seconds
_LOG = logging.getLogger(__name__)


def write_drift_reference(
    folder: Path, manifest: BundleManifest, dataset: Dataset, trained_on: Collection[str]
) -> BundleManifest:
    """Writes the reference that served photos are compared with (``phytoflow.monitoring``).

    Validation photos are the reference; test photos are if the network was trained on validation photos too.

    Args:
        folder: Folder of the bundle.
        manifest: The manifest so far, with its model files and OOD detection.
        dataset: The photos.
        trained_on: Splits that the network was trained on.

    Returns:
        The manifest with the reference; without one if there are fewer than 20 photos.
    """
    split = "test" if "validation" in trained_on else "validation"
    if dataset.count(split) < FEWEST:
        _LOG.warning("no drift reference: %d %s photos, %d are needed", dataset.count(split), split, FEWEST)
        return manifest
    model = open_exported(folder, manifest.models)
    outputs = run_split(model, dataset, split, manifest.preprocessing, _MOST, "Drift reference")
    probabilities = softmax(outputs.logits, manifest.temperature)
    detector = OodDetector.from_bundle(Bundle(folder, manifest))
    observations = observe(
        probabilities.argmax(axis=1),
        probabilities.max(axis=1),
        detector.novelty(outputs.logits, outputs.features) if detector else None,
        outputs.features.astype(np.float16),  # as they are logged
        detector.statistics if detector else None,
    )
    groups = np.unique(outputs.groups, return_inverse=True)[1]
    Reference(observations, outputs.labels, groups, manifest.classes).save(folder / FILE)
    part = DriftReference(
        file=FILE, sha256=file_sha256(folder / FILE), photos=len(outputs.labels), split=split
    )
    return manifest.model_copy(update={"drift_reference": part})
