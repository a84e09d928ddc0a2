"""Into train, validation and test: by groups, each class in each split, near the wanted shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.splits import Split
from phytoflow.errors import DataError

_ADD = "add photos of other plants to that class, or leave the class out"
_UNGROUP = (
    "if photos were grouped that do not belong together, lower data.near_duplicate_max_distance or give "
    "data.groups_csv"
)


def split_photos(table: pd.DataFrame, validation: float, test: float, seed: int) -> pd.Series:
    """Assigns whole groups to train, validation and test; see ``assign_groups``.

    Args:
        table: Usable photos with ``path``, ``label`` and ``group``.
        validation: Share of photos for validation.
        test: Share for the test; the two must leave some for training.
        seed: Another seed gives another split.

    Raises:
        DataError: A class has too few groups to be in all three.
    """
    if validation + test >= 1:
        what = f"validation ({validation}) and test ({test}) leave no photos for training"
        raise DataError(what, remedy="lower data.validation_fraction or data.test_fraction")
    return assign_groups(
        table, {"train": 1 - validation - test, "validation": validation, "test": test}, seed
    )


def assign_groups(table: pd.DataFrame, shares: Mapping[Split, float], seed: int) -> pd.Series:
    """Assigns whole groups to splits, so that each class is in each split, near the wanted shares.

    The largest groups are placed first, each where it brings the classes' counts nearest to the wanted ones
    (the greedy rule of Sechidis et al. 2011 for stratification, applied to groups). What a class then misses
    in a split is moved there. The result depends on paths, groups and labels, not on the order of rows.

    Args:
        table: Usable photos with ``path``, ``label`` and ``group``.
        shares: Wanted share of each split; they sum to 1.
        seed: Another seed gives another split.

    Returns:
        Name of the split, one a row, on the table's index.

    Raises:
        DataError: A class has too few groups to be in every split.
    """
    splits = list(shares)
    counts = pd.crosstab(table["group"], table["label"])
    _check_groups(counts, splits)
    sizes = counts.to_numpy(dtype=np.float64)
    wanted = np.outer(list(shares.values()), sizes.sum(axis=0))
    of_group = _place(sizes, wanted, np.random.default_rng(seed))
    _fill_gaps(sizes, of_group, splits, list(counts.columns))
    names = pd.Series(np.array(splits)[of_group], index=counts.index)
    return table["group"].map(names).rename("split")


def _check_groups(counts: pd.DataFrame, splits: Sequence[str]) -> None:
    """Refuses a class with fewer groups than there are splits; ``counts`` is groups by labels."""
    groups = (counts > 0).sum()
    few = groups[groups < len(splits)]
    if len(few):
        each = ", ".join(
            f"{label} ({counts[label].sum()} photos showing {number} different things)"
            for label, number in few.items()
        )
        names = f"{', '.join(splits[:-1])} and {splits[-1]}"
        grouped = any(counts[label].sum() > number for label, number in few.items())
        remedy = f"{_ADD}; {_UNGROUP}" if grouped else _ADD
        raise DataError(f"too few photos to split into {names}: {each}", remedy=remedy)


def _place(
    sizes: NDArray[np.float64], wanted: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The split of each group: int64 [G], given sizes [G, C] and wanted [S, C]."""
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order].sum(axis=1), kind="stable")]
    of_group = np.zeros(len(sizes), np.int64)
    missing = wanted.copy()
    for group in order:
        # How much nearer (squared, relative to what is wanted) this group brings each split.
        gain = (sizes[group] * (2 * missing - sizes[group]) / wanted).sum(axis=1)
        of_group[group] = gain.argmax()
        missing[gain.argmax()] -= sizes[group]
    return of_group


def _fill_gaps(
    sizes: NDArray[np.float64], of_group: NDArray[np.int64], splits: Sequence[str], labels: Sequence[str]
) -> None:
    """Moves the smallest group that can be spared into each split that lacks a class, in place."""
    for _ in range(len(splits) * len(labels) + 1):
        lacking = [
            (split, label)
            for label in range(len(labels))
            for split in range(len(splits))
            if not _has(sizes, of_group, split)[label]
        ]
        if not lacking:
            return
        split, label = lacking[0]
        spare = [g for g in map(int, np.nonzero(sizes[:, label])[0]) if _can_leave(sizes, of_group, g)]
        if not spare:
            break
        of_group[min(spare, key=lambda group: (sizes[group].sum(), group))] = split
    names = ", ".join(sorted({labels[label] for _, label in lacking}))
    what = f"groups that span several classes leave no way to split: {names}"
    remedy = f"check the labels of photos that look the same under two labels; {_UNGROUP}"
    raise DataError(what, remedy=remedy)


def _has(sizes: NDArray[np.float64], of_group: NDArray[np.int64], split: int) -> NDArray[np.bool_]:
    return sizes[of_group == split].sum(axis=0) > 0


def _can_leave(sizes: NDArray[np.float64], of_group: NDArray[np.int64], group: int) -> bool:
    """Whether its split keeps every class it has without this group."""
    rest = (of_group == of_group[group]) & (np.arange(len(of_group)) != group)
    return bool((sizes[rest].sum(axis=0) > 0)[sizes[group] > 0].all())
