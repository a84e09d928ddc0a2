import numpy as np

from benchmarks.data.synthetic_rows import make_rows


def test_planted_pairs_differ_in_every_allowed_number_of_bits() -> None:
    table, pairs = make_rows(3000, 700, 6)
    hashes = np.array([int(text, 16) for text in table["phash"]], np.uint64)
    distances = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]])
    assert set(distances) == set(range(7))
    assert len(np.unique(pairs)) == 1400
