"""What forms and views cost and bring is told apart from chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.metrics.calibration import reliability
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.benchmark import _Asked, _Figures, _way
from phytoflow.inference.classifier import Classifier

SETTINGS = EvaluationSettings(bootstrap_samples=300, latency_photos=5)


def probabilities(right: np.ndarray, confidence: float = 0.9) -> np.ndarray:
    return np.where(right[:, None], [confidence, 1 - confidence], [1 - confidence, confidence])


def figures(rows: np.ndarray, groups: np.ndarray) -> _Figures:
    return _Figures.of(rows, np.zeros(len(rows), np.int64), groups, SETTINGS, seed=0)


@pytest.fixture(scope="module")
def asked(colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> _Asked:
    return _Asked(Classifier.load(colour_bundle(tmp_path_factory.mktemp("ways") / "bundle"), "onnx", 1))


def test_figures_are_those_of_the_evaluation() -> None:
    random = np.random.default_rng(0)
    rows = random.dirichlet((1, 1, 1), 200)
    labels = random.integers(0, 3, 200)
    found = _Figures.of(rows, labels, np.arange(200), SETTINGS, seed=0).point
    right = rows.argmax(1) == labels
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["ece"] == pytest.approx(reliability(rows.max(1), right, SETTINGS.calibration_bins).ece)


def test_a_gain_on_one_leaf_is_chance_and_on_many_it_is_not(asked: _Asked) -> None:
    groups = np.arange(200) // 10
    plain = np.arange(200) % 10 != 0  # one photo of each leaf is wrong
    everywhere, one_leaf = np.ones(200, bool), np.where(groups == 3, True, plain)
    first = figures(probabilities(plain), groups)
    many, one = (
        _way(asked, 1.0, 1.0, figures(probabilities(right), groups), first, SETTINGS)
        for right in (everywhere, one_leaf)
    )
    assert many.gains["accuracy"] == pytest.approx(0.1)
    assert many.intervals["accuracy"][0] > 0.05
    assert one.gains["accuracy"] == pytest.approx(0.005)
    assert one.intervals["accuracy"][0] == pytest.approx(0, abs=1e-12)
    assert many.gains["ece"] == pytest.approx(0.1)  # right every time, and 90% sure


def test_thorough_asks_in_every_way(
    colour_bundle: Callable[..., Path], colour_photo: Callable, tmp_path: Path
) -> None:
    photos = [colour_photo(colour, n) for colour in ("red", "green") for n in range(8)]
    photos.append(colour_photo("blue", 90, label="red"))
    settings = SETTINGS.model_copy(update={"extended": True, "robustness_photos": 10, "variant_photos": 40})
    evaluate(colour_bundle(tmp_path / "bundle"), photos, settings, tmp_path / "out", seed=0)
    ways = Metrics.model_validate_json((tmp_path / "out" / "metrics.json").read_text()).ways
    assert ways is not None
    assert ways.photos == 17
    assert {(w.runtime, w.precision, w.tta) for w in ways.tried[:2]} == {
        ("onnx", "float32", "none"),
        ("openvino", "float32", "none"),
    }
    assert [way.tta for way in ways.tried[2:]] == ["flips", "crops"]
    assert all(way.accuracy == pytest.approx(16 / 17) and way.agreement == 1 for way in ways.tried)
    assert all(way.gains["accuracy"] == 0 == way.intervals["accuracy"][1] for way in ways.tried)
    assert ways.tried[3].ece != ways.tried[0].ece  # corners have other noise: other views were really asked
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("mean over") == 2
    assert "What each form costs and brings" in page
