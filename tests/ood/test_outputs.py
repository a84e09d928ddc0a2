"""Rows of model outputs."""

import numpy as np

from phytoflow.ood.outputs import ModelOutputs

OUTPUTS = ModelOutputs(
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.array([[1, 2], [3, 4]], np.float32),
    np.array([0, 2]),
    np.array(["a", "b"]),
)


def test_a_class_left_out_loses_its_logit() -> None:
    second = OUTPUTS.select(np.array([False, True]), without=1)
    assert second.logits.tolist() == [[3, 5]]
    assert second.features.tolist() == [[3, 4]]
    assert second.labels.tolist() == [2] and second.groups.tolist() == ["b"]


def test_concatenation_keeps_rows_together() -> None:
    both = OUTPUTS.concatenate(OUTPUTS.select(np.array([True, False])))
    assert both.logits[2].tolist() == OUTPUTS.logits[0].tolist()
    assert both.labels.tolist() == [0, 2, 0] and both.groups.tolist() == ["a", "b", "a"]
