"""How large a batch is worth waiting for, and what has run before the first request."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.predictor.engine.warmup import find_batch_size, warm_up


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({2: 0.02, 4: 0.04}, 2),  # no gain: who shares a batch would wait for nothing
        ({2: 0.02, 4: 0.03, 8: 0.059}, 4),  # to a point
        ({2: 0.01, 4: 0.01, 8: 0.01}, 8),  # a device that likes them; there is an end
    ],
)
def test_a_batch_grows_while_photos_get_cheaper(seconds: dict[int, float], expected: int) -> None:
    assert find_batch_size(seconds.__getitem__) == expected


def test_one_slow_moment_does_not_make_a_batch_larger() -> None:
    """As where another process had the CPUs while batches of two were measured."""
    times = {2: iter([0.05, 0.05, 0.05, 0.02]), 4: iter([0.04] * 4)}
    assert find_batch_size(lambda size: next(times[size])) == 2


class Seen:
    """Stands for a classifier; remembers what it was asked to run."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.exclusive = 0
        manifest = SimpleNamespace(preprocessing=lambda _: np.zeros((3, 8, 8), np.float32))
        self.bundle = SimpleNamespace(manifest=manifest, probe_contents=lambda: [b""])

    def run(self, batch: np.ndarray, *, exclusive: bool = False) -> None:
        self.sizes.append(len(batch))
        self.exclusive += exclusive


def test_every_worker_sees_every_size() -> None:
    classifier: Any = Seen()
    assert warm_up(classifier, 3, 16) == 16
    assert sorted(classifier.sizes) == [1] * 6 + [2] * 3 + [16] * 3
    assert classifier.exclusive == 3


def test_an_unsaid_size_is_measured() -> None:
    classifier: Any = Seen()
    assert warm_up(classifier, 2, 0) in (2, 4, 8)
    assert {1, 2, 4} <= set(classifier.sizes)
