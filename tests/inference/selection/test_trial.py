"""A candidate tried on the probe photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.selection.candidates import Candidate
from phytoflow.inference.selection.trial import ProbeSet, Trial
from phytoflow.inference.tolerance import TOLERANCES
from tests.support.golden import BUNDLE
from tests.support.make_bundle import altered_copy


def test_the_recorded_probabilities_agree() -> None:
    probes = ProbeSet.from_bundle(Bundle.load(BUNDLE))
    runtime, trial = probes.try_candidate(Candidate("onnx"), 1, 1, timed=True)
    assert runtime is not None and trial.agrees and trial.milliseconds > 0
    assert trial.max_difference < 1e-5 and trial.allowed == TOLERANCES["float32"]
    assert probes.photos.shape == (4, 3, 64, 64) and probes.recorded.shape == (4, 3)


@pytest.mark.parametrize(("by", "agrees"), [(0.0005, True), (0.002, False)])
def test_a_difference_beyond_the_tolerance_does_not_agree(tmp_path: Path, by: float, agrees: bool) -> None:
    altered = Bundle.load(altered_copy(BUNDLE, tmp_path / "altered", by))
    _, trial = ProbeSet.from_bundle(altered).try_candidate(Candidate("onnx"), 1, 1, timed=False)
    assert trial.agrees == agrees and trial.max_difference == pytest.approx(by, abs=1e-4)
    assert trial.milliseconds == 0 and "ms a photo" not in str(trial)


def test_another_class_never_agrees() -> None:
    assert not Trial(Candidate("onnx"), max_difference=0.0, same_labels=False).agrees
    assert str(Trial(Candidate("onnx"), 0.0, same_labels=False)).endswith("another class")


def test_a_runtime_that_cannot_run_the_model_is_reported_and_not_raised(tmp_path: Path) -> None:
    copy = altered_copy(BUNDLE, tmp_path / "copy", 0.0)
    (copy / "model.onnx").write_bytes(b"no model")
    probes = ProbeSet(Bundle.load(copy, verify=False), np.zeros((1, 3, 64, 64), np.float32), np.zeros((1, 3)))
    runtime, trial = probes.try_candidate(Candidate("onnx"), 1, 1, timed=False)
    assert runtime is None and not trial.agrees and "cannot load" in str(trial)
