"""The photos a reader sees in the report, and what spoke for each answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phytoflow.evaluation.report.examples import Examples, Explainer, Shown, with_heat
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier


def shown(
    classifier: Classifier, examples: Examples, settings: EvaluationSettings, model: Path | None
) -> Shown:
    """With heat where the model itself gives it; covering place by place takes sixty times as long."""
    size = classifier.bundle.manifest.preprocessing.size
    evidence = classifier.outputs(np.zeros((1, 3, size, size), np.float32)).evidence
    rollout = _rollout(classifier, model) if evidence is None and model else None
    if evidence is None and rollout is None and not settings.extended:
        return Shown(examples.surest_mistakes, examples.least_sure)
    kept = (examples.surest_mistakes, examples.least_sure)
    return Shown(*([with_heat(e, classifier, rollout or explain) for e in group] for group in kept))


def _rollout(classifier: Classifier, model: Path) -> Explainer | None:
    """A transformer's attention rollout; None for other networks."""
    if not classifier.bundle.manifest.backbone.startswith("vit"):
        return None
    from phytoflow.evaluation.report.attention_rollout import attention_rollout
    from phytoflow.models.checkpoint import load_trained

    network = load_trained(model).model
    return lambda _, tensor, __: attention_rollout(network, tensor)
