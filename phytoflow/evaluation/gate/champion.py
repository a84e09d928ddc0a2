"""The challenger against the champion, on the photos that both may be judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.compare.paired import Comparison, paired
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier


def compare_on(
    bundle: Path,
    photos: Iterable[LabelledPhoto],
    challenger: PhotoPredictions,
    *,
    version: str,
    settings: EvaluationSettings,
    seed: int,
) -> Comparison:
    """Asks the champion for the photos the challenger answered, and compares the two.

    Args:
        bundle: The champion's bundle.
        photos: The photos behind ``challenger``, in any order; streamed.
        challenger: The challenger's answers.
        version: The champion's version.
        settings: Resamples and confidence.
        seed: Of the bootstrap.

    Raises:
        BundleError: The champion's bundle is damaged or cannot be loaded.
    """
    opened = Bundle.load(bundle)
    answered = set(challenger.paths)
    asked = (p for p in photos if p.path in answered and p.label in opened.manifest.classes)
    foreign = sum(challenger.classes[label] not in opened.manifest.classes for label in challenger.labels)
    if foreign == len(challenger.labels):
        return Comparison(version, foreign=foreign)
    champion, _ = predict_photos(Classifier.load(bundle), asked)
    unseen = _unseen(champion, opened.training_photos())
    found = paired(champion, challenger, unseen, settings, seed)
    return replace(found, version=version, seen=int((~unseen).sum()), foreign=foreign)


def _unseen(answers: PhotoPredictions, trained_on: frozenset[str]) -> NDArray[np.bool_]:
    """Which photos share no group with a photo the model was trained on."""
    seen = {g for g, digest in zip(answers.groups, answers.sha256, strict=True) if digest in trained_on}
    return np.array([group not in seen for group in answers.groups])
