import numpy as np

from benchmarks.data.memory import peak_bytes, reset_peak


def test_the_peak_is_set_back() -> None:
    large = np.ones(20_000_000)
    del large
    before = peak_bytes()
    reset_peak()
    assert peak_bytes() < before - 100e6
