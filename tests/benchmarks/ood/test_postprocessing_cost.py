"""The model file without its post-processing."""

from pathlib import Path

import numpy as np

from benchmarks.ood.postprocessing_cost import _photos_per_second, _without_postprocessing
from phytoflow.inference.classifier import Classifier
from tests.support.golden import BUNDLE, PHOTOS, answers


def test_the_same_bundle_ends_with_logits_and_features(tmp_path: Path) -> None:
    bare = Classifier.load(_without_postprocessing(BUNDLE, tmp_path / "bare"), "onnx", 1)
    name, recorded = next(iter(answers()["photos"]["onnx"].items()))
    tensor = bare.bundle.manifest.preprocessing((PHOTOS / name).read_bytes())[None]
    assert bare.outputs(tensor).probabilities is None and bare.outputs(tensor).features is not None
    np.testing.assert_allclose(bare.run(tensor).probabilities[0], recorded["probabilities"], atol=1e-5)


def test_photos_of_all_threads_are_counted() -> None:
    classifier, batches = Classifier.load(BUNDLE, "onnx", 1), list[np.ndarray]()
    bundle = classifier.bundle
    rate = _photos_per_second(batches.append, bundle.probe_contents(), bundle.manifest.preprocessing, 2)
    assert rate > 0 and len(batches) >= 2 and {batch.shape for batch in batches} == {(2, 3, 64, 64)}
