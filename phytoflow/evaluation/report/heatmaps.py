"""Heatmaps of the report's examples: which parts of a photo supported the predicted class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.report.examples import Example, ReportExamples
from phytoflow.inference.attribution import explain, overlay
from phytoflow.inference.classifier import Classifier

Attribution = Callable[[Classifier, NDArray[np.float32], int], NDArray[np.float32]]
"""Classifier, photo float32 [3, size, size] and class number to a heatmap float32 [size, size] in 0..1."""


def add_heatmaps(
    examples: ReportExamples, classifier: Classifier, model: Path | None, *, occlusion: bool
) -> ReportExamples:
    """Adds heatmaps to the mistakes and the uncertain answers, if there is an affordable method.

    Args:
        examples: The examples.
        classifier: The opened bundle.
        model: The trained model's folder, to follow a transformer's attention; None if it is not at hand.
        occlusion: Allow covering the photo place by place, which takes sixty predictions per photo.
    """
    attribution = _choose_attribution(classifier, model, occlusion)
    if attribution is None:
        return examples
    return replace(
        examples,
        mistakes=[add_heatmap(example, classifier, attribution) for example in examples.mistakes],
        uncertain=[add_heatmap(example, classifier, attribution) for example in examples.uncertain],
    )


def add_heatmap(example: Example, classifier: Classifier, attribution: Attribution = explain) -> Example:
    """The example with a heatmap of its predicted class.

    Args:
        example: Its thumbnail is classified again; it is large enough for that.
        classifier: The opened bundle.
        attribution: Computes the heatmap.
    """
    preprocessing = classifier.bundle.manifest.preprocessing
    pixels = preprocessing.decode(example.jpeg)
    label = classifier.classes.index(example.predicted)
    heatmap = attribution(classifier, preprocessing.normalise(pixels), label)
    return replace(example, heatmap=overlay(pixels, heatmap))


def _choose_attribution(classifier: Classifier, model: Path | None, occlusion: bool) -> Attribution | None:
    size = classifier.bundle.manifest.preprocessing.size
    if classifier.outputs(np.zeros((1, 3, size, size), np.float32)).evidence is not None:
        return explain  # the model computes its class activation map itself
    if model and classifier.bundle.manifest.backbone.startswith("vit"):
        return _attention_rollout(model)
    return explain if occlusion else None


def _attention_rollout(model: Path) -> Attribution:
    from phytoflow.evaluation.report.attention_rollout import attention_rollout
    from phytoflow.models.checkpoint import load_trained

    network = load_trained(model).model
    return lambda _, tensor, __: attention_rollout(network, tensor)
