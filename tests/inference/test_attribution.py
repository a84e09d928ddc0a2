"""Heat maps point at what a prediction comes from, with and without the model's own evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.explanation.faithfulness import edges, faithfulness
from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.attribution import explain, overlay
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.runtimes.factory import open_runtime
from tests.support.colour_bundle import COLOURS, colour_bundle
from tests.support.make_bundle import pictures

__all__ = ["colour_bundle"]  # a fixture


@pytest.mark.parametrize("runtime", ["onnx", "torchscript", "openvino"])
def test_evidence_adds_up_to_the_logits(bundle: Path, runtime: str) -> None:
    """Its mean over the places is the logit but for the head's bias: the map leaves nothing out."""
    opened = Bundle.load(bundle)
    tensors = np.stack([opened.manifest.preprocessing(p.content) for p in pictures(5)])
    found = open_runtime(runtime, opened, threads=1).run(tensors)  # type: ignore[arg-type]
    assert found.evidence is not None
    bias = found.logits - found.evidence.mean(axis=(2, 3))
    np.testing.assert_allclose(bias, np.broadcast_to(bias[:1], bias.shape), atol=1e-4)


def test_features_are_parts_of_length_one(bundle: Path) -> None:
    opened = Bundle.load(bundle)
    tensors = np.stack([opened.manifest.preprocessing(p.content) for p in pictures(5)])
    features = open_runtime("onnx", opened, threads=1).run(tensors).features
    assert features is not None
    early = opened.manifest.early_features
    assert 0 < early < features.shape[1]
    np.testing.assert_allclose(np.linalg.norm(features[:, early:], axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(features[:, :early], axis=1), np.sqrt(2), atol=1e-4)


@pytest.fixture
def corner(colour_bundle: Callable[..., Path], tmp_path: Path) -> tuple[Classifier, np.ndarray]:
    """A grey photo with a red corner, and a model without evidence that looks at colours only."""
    pixels = np.full((32, 32, 3), 128, np.uint8)
    pixels[:12, :12] = (230, 20, 20)
    return Classifier.load(colour_bundle(tmp_path / "b")), pixels


def test_covering_places_finds_the_red_corner(corner: tuple[Classifier, np.ndarray]) -> None:
    classifier, pixels = corner
    tensor = classifier.bundle.manifest.preprocessing.normalise(pixels)
    heat = explain(classifier, tensor, COLOURS.index("red"))
    assert heat.shape == (32, 32)
    assert heat[:8, :8].min() > 0.5
    assert heat[20:, 20:].max() < 0.1
    assert explain(classifier, tensor, COLOURS.index("green"))[:8, :8].max() < 0.1
    assert overlay(pixels, heat)[:2] == b"\xff\xd8"


def test_a_true_map_beats_a_false_one(corner: tuple[Classifier, np.ndarray]) -> None:
    classifier, pixels = corner
    tensor, red = classifier.bundle.manifest.preprocessing.normalise(pixels), COLOURS.index("red")
    heat = explain(classifier, tensor, red)
    true, false = (faithfulness(classifier, pixels, each, red) for each in (heat, 1 - heat))
    assert true.insertion > false.insertion
    assert true.deletion < false.deletion
    assert true.score > faithfulness(classifier, pixels, edges(pixels), red).score


def test_edges_are_where_the_photo_changes() -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, 10:] = 200
    assert (edges(pixels).argmax(axis=1) >= 9).all()
    assert edges(pixels)[:, :8].max() == 0
