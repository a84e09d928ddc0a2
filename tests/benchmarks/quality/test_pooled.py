import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.pooled import PooledMetrics, pool, read_predictions
from phytoflow.evaluation.predictions.table import PhotoPredictions


def answers(confidence: list[float], right: list[bool], name: str, novelty: list[float]) -> PhotoPredictions:
    sure = np.array(confidence)
    return PhotoPredictions(
        paths=tuple(f"{name}{i}.jpg" for i in range(len(sure))),
        groups=tuple(f"{name}{i}" for i in range(len(sure))),
        labels=np.where(right, 0, 1),
        probabilities=np.column_stack([sure, 1 - sure]),
        classes=("rust", "scab"),
        novelty=np.array(novelty),
    )


def test_mistakes_of_all_splits_are_ranked_pool() -> None:
    one = answers([0.99] * 5, [True] * 5, "a", [0.0] * 5)
    other = answers([0.99] * 4 + [0.6], [True] * 4 + [False], "b", [0.0] * 4 + [1.2])
    pooled = pool([one, other])
    assert (pooled.predictions, pooled.photos) == (10, 10)
    assert pooled.error == pytest.approx(0.1)
    assert pooled.selective_risk == 0  # the only mistake is the least confident of ten
    assert pooled.false_positive_rate == pytest.approx(0.1)
    assert pooled.calibration.ece == pytest.approx((9 * 0.01 + 0.6) / 10)


def test_a_photo_tested_twice_is_one_photo() -> None:
    one = answers([0.9, 0.8], [True, True], "a", [0.0, 0.0])
    assert pool([one, one]).predictions == 4
    assert pool([one, one]).photos == 2


def test_the_last_of_several_runs_is_read_back(tmp_path: Path) -> None:
    for at, (name, right) in enumerate({"run-2": [True, True], "run-1": [True, False]}.items()):
        folder = tmp_path / "steps" / name / "evaluate" / "evaluation"
        folder.mkdir(parents=True)
        answers([0.9, 0.8], right, "a", [0.25, 1.5]).write(folder)
        os.utime(folder / "predictions.csv", (at, at))
    pooled: PooledMetrics = pool([read_predictions(tmp_path)])
    assert pooled.false_positive_rate == pytest.approx(0.5)
    assert "wrong 50.00%" in str(pooled)
