"""How large a batch is worth waiting for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.predictor.warm import warm, worthwhile


class Timed:
    """Stands for a classifier whose calls take what is said, by the size of the batch, on its own clock."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self._seconds, self.sizes, self.alone, self.now = seconds, [], 0, 0.0
        tensor = np.zeros((3, 8, 8), np.float32)
        manifest = SimpleNamespace(preprocessing=lambda _: tensor)
        self.bundle = SimpleNamespace(manifest=manifest, probe_contents=lambda: [b""])

    def run(self, batch: np.ndarray, *, alone: bool = False) -> None:
        self.sizes.append(len(batch))
        self.alone += alone
        self.now += self._seconds[len(batch)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({2: 0.02, 4: 0.04}, 2),  # no gain: who shares a batch would wait for nothing
        ({2: 0.02, 4: 0.02, 8: 0.02, 16: 0.06}, 8),  # a device that likes them
        ({2**power: 0.01 for power in range(1, 6)}, 32),  # and there is an end
    ],
)
def test_a_batch_grows_while_photos_get_cheaper(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], expected: int
) -> None:
    classifier: Any = Timed(seconds)
    monkeypatch.setattr("serving.predictor.warm.time", SimpleNamespace(perf_counter=lambda: classifier.now))
    assert worthwhile(classifier, 1) == expected


def test_every_lane_sees_every_size() -> None:
    classifier: Any = Timed({1: 0.0, 2: 0.0, 4: 0.0})
    warm(classifier, 3, 4)
    assert sorted(classifier.sizes) == [1] * 6 + [2] * 3 + [4] * 3
    assert classifier.alone == 3
