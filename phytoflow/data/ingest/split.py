"""Into train, validation and test: by groups, each class in each split, near the wanted shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.splits import SPLITS
from phytoflow.errors import DataError

_REMEDY = (
    "add photos of other plants to that class, leave the class out, or, if photos were grouped that do not "
    "belong together, lower data.near_duplicate_max_distance or give data.groups_csv"
)


def split_photos(table: pd.DataFrame, validation: float, test: float, seed: int) -> pd.Series:
    """Assigns whole groups to splits.

    The largest groups are placed first, each where it brings the classes' counts nearest to the wanted
    ones (the greedy rule of Sechidis 2011 for stratification, by groups); what a class then misses in
    a split is moved there. The result depends on paths, groups and labels, not on the rows' order.

    Args:
        table: Usable photos with ``path``, ``label`` and ``group``.
        validation: Share of photos for validation.
        test: Share for the test; the two must leave some for training.
        seed: Another seed gives another split.

    Returns:
        ``train``, ``validation`` or ``test``, one a row, on the table's index.

    Raises:
        DataError: A class has too few groups to be in all three.
    """
    if validation + test >= 1:
        what = f"validation ({validation}) and test ({test}) leave no photos for training"
        raise DataError(what, remedy="lower data.validation_fraction or data.test_fraction")
    counts = pd.crosstab(table["group"], table["label"])
    check_groups(counts)
    sizes = counts.to_numpy(dtype=np.float64)
    wanted = np.outer([1 - validation - test, validation, test], sizes.sum(axis=0))
    of_group = _place(sizes, wanted, np.random.default_rng(seed))
    _fill_gaps(sizes, of_group, list(counts.columns))
    names = pd.Series(np.array(SPLITS)[of_group], index=counts.index)
    return table["group"].map(names).rename("split")


def check_groups(counts: pd.DataFrame) -> None:
    """Refuses a class of fewer than three groups; ``counts`` is groups by labels."""
    groups = (counts > 0).sum()
    few = groups[groups < len(SPLITS)]
    if len(few):
        each = ", ".join(
            f"{label} ({counts[label].sum()} photos showing {number} different things)"
            for label, number in few.items()
        )
        raise DataError(f"too few photos to split into train, validation and test: {each}", remedy=_REMEDY)


def _place(
    sizes: NDArray[np.float64], wanted: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The split of each group: int64 [G], given sizes [G, C] and wanted [3, C]."""
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


def _fill_gaps(sizes: NDArray[np.float64], of_group: NDArray[np.int64], labels: list[str]) -> None:
    """Moves the smallest group that can be spared into each split that lacks a class, in place."""
    for _ in range(len(SPLITS) * len(labels) + 1):
        lacking = [(s, c) for c in range(len(labels)) for s in range(3) if not _has(sizes, of_group, s)[c]]
        if not lacking:
            return
        split, label = lacking[0]
        spare = [g for g in map(int, np.nonzero(sizes[:, label])[0]) if _can_leave(sizes, of_group, g)]
        if not spare:
            break
        of_group[min(spare, key=lambda group: (sizes[group].sum(), group))] = split
    names = ", ".join(sorted({labels[label] for _, label in lacking}))
    raise DataError(f"groups that span several classes leave no way to split: {names}", remedy=_REMEDY)


def _has(sizes: NDArray[np.float64], of_group: NDArray[np.int64], split: int) -> NDArray[np.bool_]:
    return sizes[of_group == split].sum(axis=0) > 0


def _can_leave(sizes: NDArray[np.float64], of_group: NDArray[np.int64], group: int) -> bool:
    """Whether its split keeps every class it has without this group."""
    rest = (of_group == of_group[group]) & (np.arange(len(of_group)) != group)
    return bool((sizes[rest].sum(axis=0) > 0)[sizes[group] > 0].all())
