"""Without all pieces of its scheduling the predictor is slower, and still right."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.serving.ablation.pieces import PIECES
from benchmarks.serving.ablation.removal import REMOVALS
from phytoflow.client.rest_client import Client
from phytoflow.inference.classifier import Classifier
from tests.support import golden
from tests.support.services.servers import running

ENTRY = ("-m", "benchmarks.serving.ablation.server", f"--without={'+'.join(PIECES)}")


def test_every_piece_can_be_removed() -> None:
    assert REMOVALS.keys() == PIECES.keys()


def test_the_predictor_answers_correctly_without_any_of_them(tmp_path: Path) -> None:
    contents = [(golden.PHOTOS / name).read_bytes() for name in golden.SERVED]
    expected = Classifier.load(golden.BUNDLE, "onnx", 1).predict(contents).probabilities
    with running(golden.BUNDLE, tmp_path / "log", ENTRY) as server:
        with Client(server.url) as client:
            answers = client.predict(contents)
        assert "taken away by the benchmark" in server.log.read_text()
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected, atol=1e-6)
