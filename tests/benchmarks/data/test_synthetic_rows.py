import numpy as np

from benchmarks.data.synthetic_rows import make_rows, make_table
from phytoflow.data.ingest.photo_row import PhotoRow


def test_planted_pairs_differ_in_every_allowed_number_of_bits() -> None:
    table, pairs = make_rows(3000, 700, 6)
    hashes = np.array([int(text, 16) for text in table["phash"]], np.uint64)
    distances = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]])
    assert set(distances) == set(range(7))
    assert len(np.unique(pairs)) == 1400


def test_whole_rows_are_those_of_a_scan() -> None:
    table = make_table(1000, 6)
    assert list(table.columns) == list(PhotoRow.__dataclass_fields__)
    assert table["path"].is_monotonic_increasing and table["sha256"].nunique() == 1000
    assert table["label"].nunique() == 10 and (table["sha256"].str.len() == 64).all()
