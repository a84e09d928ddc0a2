import numpy as np
import pytest
from numpy.typing import NDArray

from phytoflow.data.ingest.grouping import close_hashes as module
from phytoflow.data.ingest.grouping.close_hashes import close_hashes, compare_all, search_index

BITS = 6


def similar_hashes(rows: int, seed: int = 0) -> NDArray[np.uint64]:
    """Hashes as photos of one kind have them: many share most of their bits, some are equal."""
    rng = np.random.default_rng(seed)
    motifs = rng.integers(0, 2**64, 5, dtype=np.uint64)
    flipped = np.packbits(rng.random((rows, 64)) < 0.12, axis=1).view(np.uint64)[:, 0]
    hashes = motifs[rng.integers(0, len(motifs), rows)] ^ flipped
    hashes[:10] = hashes[10]
    return hashes


def as_set(blocks: object) -> set[tuple[int, int]]:
    """The pairs of all blocks; fails if one occurs twice."""
    pairs = [tuple(map(int, pair)) for block in blocks for pair in block]  # type: ignore[attr-defined]
    assert len(pairs) == len(set(pairs))
    return set(pairs)


@pytest.mark.parametrize("bits", [0, 1, 3, 4, 6, 7, 9, 13, 16])
def test_the_index_finds_the_pairs_that_comparing_all_finds(bits: int) -> None:
    hashes = similar_hashes(1500)
    expected = as_set(compare_all(hashes, bits))
    assert expected
    assert as_set(search_index(hashes, bits)) == expected


def test_every_way_to_spread_the_differing_bits_over_the_parts_is_found() -> None:
    """Two hashes whose bits differ in the given number in each of the four parts."""
    ways = [(a, b, c, BITS - a - b - c) for a in range(7) for b in range(7 - a) for c in range(7 - a - b)]
    assert (0, 2, 2, 2) in ways and (6, 0, 0, 0) in ways and len(ways) == 84
    for way in ways:
        other = sum(((1 << count) - 1) << (16 * part) for part, count in enumerate(way))
        assert as_set(search_index(np.array([0, other], np.uint64), BITS)) == {(0, 1)}, way
        assert not as_set(search_index(np.array([0, other], np.uint64), BITS - 1)), way


def test_blocks_of_any_size_lose_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = similar_hashes(300)
    expected = as_set(compare_all(hashes, BITS))
    monkeypatch.setattr(module, "_CANDIDATES", 7)
    assert as_set(search_index(hashes, BITS)) == expected


def test_large_sets_are_indexed_and_small_ones_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = similar_hashes(module._INDEX_FROM)
    expected = as_set(compare_all(hashes, BITS))
    monkeypatch.setattr(module, "compare_all", lambda *_: pytest.fail("compared"))
    assert as_set(close_hashes(hashes, BITS)) == expected
    monkeypatch.undo()
    monkeypatch.setattr(module, "search_index", lambda *_: pytest.fail("indexed"))
    assert as_set(close_hashes(hashes[:-1], BITS))
    assert as_set(close_hashes(hashes, module._INDEX_UP_TO + 1))


@pytest.mark.parametrize("rows", [0, 1])
def test_no_photo_and_a_single_one_have_no_pairs(rows: int) -> None:
    hashes = np.arange(rows, dtype=np.uint64)
    assert not as_set(search_index(hashes, BITS))
    assert not as_set(compare_all(hashes, BITS))


def test_a_hundred_thousand_rows_are_searched_in_a_fraction_of_all_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 100_000, dtype=np.uint64)
    hashes[-1000:] = hashes[:1000] ^ np.uint64(0b1_0000_0000_0000_0011)
    compared = 0
    expand = module._expand

    def count(*arguments: NDArray[np.int64]) -> object:
        nonlocal compared
        for first, second in expand(*arguments):
            compared += len(first)
            yield first, second

    monkeypatch.setattr(module, "_expand", count)
    expected = {(row, 99_000 + row) for row in range(1000)}
    assert as_set(search_index(hashes, BITS)) == expected
    assert compared < 0.001 * len(hashes) ** 2 / 2
