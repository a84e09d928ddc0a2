"""The bound is one size of batch, chosen over all rounds."""

from __future__ import annotations

from benchmarks.serving.upper_bound import Limit, best


def test_the_bound_is_the_batch_with_the_best_median() -> None:
    rounds = [
        [Limit(batch=1, rate=a, cpu_ms=1), Limit(batch=2, rate=b, cpu_ms=1)]
        for a, b in ((9, 5), (1, 6), (2, 7))
    ]
    found = best(rounds)
    assert found is not None
    assert (found.batch, found.rate) == (2, 6)
    assert best([]) is None
