"""The detector of a bundle."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.inference.runtimes.factory import open_runtime
from phytoflow.ood.detector import OodDetector
from phytoflow.ood.feature_statistics import fit_statistics
from phytoflow.ood.scores import score
from tests.ood.test_scores import clouds
from tests.support.golden import BUNDLE, PHOTOS, answers


def test_novelty_is_the_score_on_a_scale_from_typical_to_threshold() -> None:
    features, labels = clouds(50, seed=0)
    detector = OodDetector(fit_statistics(features, labels), "mean_neighbours", typical=0.2, threshold=0.6)
    others = clouds(5, seed=1)[0]
    scores = score("mean_neighbours", detector.statistics, others[:, :2], others)
    np.testing.assert_allclose(detector.novelty(others[:, :2], others), (scores - 0.2) / 0.4, rtol=1e-5)


def test_the_formulas_give_the_novelty_that_the_model_file_gives() -> None:
    bundle, recorded = Bundle.load(BUNDLE), answers()["photos"]["onnx"]
    detector = OodDetector.from_bundle(bundle)
    assert detector is not None
    tensors = np.stack([bundle.manifest.preprocessing((PHOTOS / name).read_bytes()) for name in recorded])
    outputs = open_runtime("onnx", bundle, threads=1).run(tensors)
    assert outputs.features is not None
    novelty = detector.novelty(outputs.logits, outputs.features)
    np.testing.assert_allclose(novelty, [answer["novelty"] for answer in recorded.values()], atol=1e-4)


def test_a_bundle_without_statistics_has_none(bundle: Path) -> None:
    assert OodDetector.from_bundle(Bundle.load(bundle)) is None


def test_damaged_statistics_are_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(BUNDLE, tmp_path / "bundle"))
    (copy / "open_set.npz").write_bytes(b"nothing")
    with pytest.raises(BundleError, match="not the file its manifest describes"):
        Bundle.load(copy)
    with pytest.raises(BundleError, match=r"open_set\.npz holds no OOD statistics"):
        OodDetector.from_bundle(Bundle.load(copy, verify=False))
