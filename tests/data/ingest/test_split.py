import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from phytoflow.data.ingest.split import split_photos
from phytoflow.data.splits import SPLITS
from phytoflow.errors import DataError


def table_of(groups: list[tuple[str, int]]) -> pd.DataFrame:
    """One row a photo, given each group's label and size."""
    rows = [
        (f"{label}/{g}-{n}", label, f"g{g}") for g, (label, size) in enumerate(groups) for n in range(size)
    ]
    return pd.DataFrame(rows, columns=["path", "label", "group"])


group_sets = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 30)), min_size=12, max_size=80)


@settings(max_examples=150, deadline=None)
@given(group_sets, st.integers(0, 5), st.sampled_from([(0.1, 0.2), (0.2, 0.2), (0.05, 0.05), (0.3, 0.4)]))
def test_no_group_straddles_and_each_class_is_everywhere(
    groups: list[tuple[str, int]], seed: int, shares: tuple[float, float]
) -> None:
    counts = pd.Series([label for label, _ in groups]).value_counts()
    assume(len(counts) > 1 and counts.min() >= 3)
    table = table_of(groups)
    split = split_photos(table, *shares, seed)
    assert split.groupby(table["group"]).nunique().max() == 1
    assert (pd.crosstab(table["label"], split)[list(SPLITS)] > 0).all(axis=None)
    assert set(split) == set(SPLITS)


@settings(max_examples=60, deadline=None)
@given(group_sets, st.integers(0, 5), st.randoms(use_true_random=False))
def test_rows_order_does_not_matter(groups: list[tuple[str, int]], seed: int, random: object) -> None:
    assume(pd.Series([label for label, _ in groups]).value_counts().min() >= 3)
    table = table_of(groups)
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = split_photos(table.iloc[order], 0.1, 0.2, seed)
    pd.testing.assert_series_equal(split_photos(table, 0.1, 0.2, seed), again.sort_index())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=4, max_size=4)), min_size=5, max_size=30))
def test_groups_of_several_labels_stay_whole_or_are_refused(groups: list[tuple[list[int]]]) -> None:
    rows = [
        (f"{g}-{c}-{n}", f"label {c}", f"g{g}")
        for g, (sizes,) in enumerate(groups)
        for c, size in enumerate(sizes)
        for n in range(size)
    ]
    assume(rows)
    table = pd.DataFrame(rows, columns=["path", "label", "group"])
    try:
        split = split_photos(table, 0.1, 0.2, 0)
    except DataError as refusal:
        assert "way to split" in str(refusal) or "too few" in str(refusal)
        return
    assert split.groupby(table["group"]).nunique().max() == 1
    assert (pd.crosstab(table["label"], split)[list(SPLITS)] > 0).all(axis=None)


@pytest.mark.parametrize(
    ("groups", "tolerance"),
    [
        ([(c, 1) for c in "abcd" for _ in range(43)], 0.03),  # 172 photos in four classes
        ([("a", 1)] * 535 + [("b", 1)] * 30, 0.02),
        ([(c, size) for c in "ab" for size in (12, 9, 3, 7, 11, 8, 6, 12, 5, 10, 4, 12)], 0.05),
        ([("a", 40), *[("a", 4)] * 20, *[("b", 10)] * 10], 0.06),  # one group is a third of its class
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_shares_are_near_the_wanted(groups: list[tuple[str, int]], tolerance: float, seed: int) -> None:
    table = table_of(groups)
    shares = pd.crosstab(table["label"], split_photos(table, 0.1, 0.2, seed), normalize="index")
    for split, wanted in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert np.allclose(shares[split], wanted, atol=tolerance), shares


def test_twenty_photos_of_two_classes() -> None:
    table = table_of([(c, 1) for c in "ab" for _ in range(10)])
    counts = pd.crosstab(table["label"], split_photos(table, 0.1, 0.2, 3))
    assert counts.loc["a"].to_dict() == counts.loc["b"].to_dict() == {"train": 7, "validation": 1, "test": 2}


def test_the_seed_matters() -> None:
    table = table_of([(c, 1) for c in "ab" for _ in range(30)])
    first, same, other = (split_photos(table, 0.1, 0.2, seed) for seed in (0, 0, 1))
    assert first.equals(same)
    assert not first.equals(other)


def test_three_groups_are_one_in_each_split() -> None:
    table = table_of([("a", 9), ("a", 2), ("a", 5), *[("b", 1)] * 10])
    assert set(split_photos(table, 0.1, 0.2, 0)[table["label"] == "a"]) == set(SPLITS)


def test_too_few_groups_or_no_share_for_training_are_refused() -> None:
    with pytest.raises(DataError, match=r"b \(40 photos showing 2 different things\)") as refusal:
        split_photos(table_of([*[("a", 1)] * 10, ("b", 20), ("b", 20)]), 0.1, 0.2, 0)
    assert "data.groups_csv" in refusal.value.remedy
    with pytest.raises(DataError, match="leave no photos for training"):
        split_photos(table_of([("a", 1)] * 10), 0.5, 0.5, 0)
