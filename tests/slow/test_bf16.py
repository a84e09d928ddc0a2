"""Reduced precision, in a process of its own.

It may run on AMX tiles, and where those had been used in a virtual machine, a long test process was seen to
die of a general protection fault at its next child's end: not together with hundreds of other tests.
"""

from pathlib import Path

import numpy as np
import pytest

from phytoflow.errors import ParityError
from phytoflow.inference.classifier import Classifier
from phytoflow.system.cpu import has_bf16
from tests.support.make_bundle import altered_copy


@pytest.mark.skipif(not has_bf16(), reason="this CPU has no bf16")
def test_bf16_is_taken_where_it_agrees(bundle: Path) -> None:
    choice = Classifier.load(bundle, "auto", 1, precision="bf16").choice
    assert (choice.name, choice.precision) == ("openvino", "bf16")
    assert 1e-5 < choice.trials[0].max_difference <= 0.1  # less would be float32 after all
    assert "of 0.1 allowed" in choice.reason


@pytest.mark.skipif(not has_bf16(), reason="this CPU has no bf16")
def test_bf16_that_does_not_agree_is_refused_or_left_out(bundle: Path, tmp_path: Path) -> None:
    altered = altered_copy(bundle, tmp_path / "altered", by=0.15)
    with pytest.raises(ParityError, match=r"openvino in bf16: off by .* of 0\.1 allowed"):
        Classifier.load(altered, "auto", 1, precision="bf16")


@pytest.mark.skipif(not has_bf16(), reason="this CPU has no bf16")
def test_distances_are_not_told_in_bf16(bundle: Path) -> None:
    photo = np.zeros((1, 3, 64, 64), np.float32)
    found = Classifier.load(bundle, "openvino", 1, precision="bf16").outputs(photo)
    assert found.features is not None
    assert found.probabilities is None
    assert Classifier.load(bundle, "openvino", 1).outputs(photo).probabilities is not None


@pytest.mark.skipif(not has_bf16(), reason="this CPU has no bf16")
def test_auto_compares_precisions(bundle: Path) -> None:
    choice = Classifier.load(bundle, "openvino", 1, precision="auto").choice
    assert [trial.candidate.precision for trial in choice.trials] == ["float32", "bf16"]
    assert choice.precision == min(choice.trials, key=lambda trial: trial.milliseconds).candidate.precision
