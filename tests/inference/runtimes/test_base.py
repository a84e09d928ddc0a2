"""Outputs of a model file."""

import numpy as np

from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.base import Outputs, output_positions


def test_outputs_are_found_by_name_and_logits_come_first() -> None:
    names = ["output_0", "novelty", "something", "features"]
    assert output_positions(names) == {"logits": 0, "novelty": 1, "features": 3}


def test_a_files_own_probabilities_are_used_if_it_has_them() -> None:
    logits = np.array([[1.0, 3.0]], np.float32)
    own = np.array([[0.5, 0.5]], np.float32)
    assert Outputs(logits, probabilities=own).calibrated(2.0) is own
    np.testing.assert_allclose(Outputs(logits).calibrated(2.0), softmax(logits, 2.0))
