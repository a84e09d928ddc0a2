"""Uses the split that a data set comes with, after a check that no thing is shown in two of its parts.

Published figures are about the test part, so it is never touched: a photo that shows the same thing as one in
the test is left out of training and validation, and one that shows the same as validation out of training.
"""

from __future__ import annotations

import pandas as pd

from phytoflow.data.ingest.file_names import name_some
from phytoflow.data.ingest.findings import Finding
from phytoflow.data.ingest.split import assign_groups
from phytoflow.data.ingest.validate import leak_reason
from phytoflow.data.settings import DataSettings
from phytoflow.data.splits import SPLITS, Split
from phytoflow.errors import DataError

_BY_IMPORTANCE: tuple[Split, ...] = ("test", "validation", "train")
_POOL = "set data.predefined_split=ignore: phytoflow then splits all photos itself, by what they show"


def exclude_leaks(table: pd.DataFrame) -> pd.DataFrame:
    """Writes into ``reason`` which photos show the same thing as a photo in a more important part.

    Args:
        table: With ``part`` and ``group``; photos of one group show the same thing.

    Raises:
        DataError: A part then lacks a class.
    """
    used = table[table["reason"] == ""]
    rank = used["part"].map(_BY_IMPORTANCE.index)
    best = rank.groupby(used["group"]).transform("min")
    leaks = used.index[rank > best]
    first = used[rank == best].drop_duplicates("group").set_index("group")["path"]
    reason = table["reason"].copy()
    reason[leaks] = [leak_reason(first[group]) for group in used.loc[leaks, "group"]]
    excluded = table.assign(reason=reason)
    _require_classes(excluded, leaks, reason)
    return excluded


def describe_parts(table: pd.DataFrame) -> Finding:
    """Says which split is used; ``table`` holds usable photos."""
    counts = table.groupby("part").size()
    parts = [f"{split}: {counts[split]}" for split in SPLITS if split in counts.index]
    text = "Parts of the folders' own split, which is used; data.predefined_split=ignore splits anew"
    return Finding.of_names("given split", "note", text, parts)


def use_parts(table: pd.DataFrame, settings: DataSettings, seed: int) -> pd.Series:
    """The split of each photo: its part; a part that was not given is taken from the training photos.

    Args:
        table: Usable photos with ``path``, ``label``, ``group`` and ``part``, ``train`` among them.
        settings: Shares of the parts that were not given, of the training photos.
        seed: Decides which groups are taken.

    Returns:
        Name of the split, one a row, on the table's index.

    Raises:
        DataError: A class has too few groups.
    """
    shares: dict[Split, float] = {"validation": settings.validation_fraction, "test": settings.test_fraction}
    missing = {split: share for split, share in shares.items() if split not in set(table["part"])}
    if not missing:
        return table["part"].rename("split")
    train = table[table["part"] == "train"]
    drawn = assign_groups(train, {"train": 1 - sum(missing.values()), **missing}, seed)
    return drawn.reindex(table.index).fillna(table["part"]).rename("split")


def _require_classes(table: pd.DataFrame, leaks: pd.Index, reason: pd.Series) -> None:
    used = table[table["reason"] == ""]
    parts = sorted(set(table["part"]) - {""})
    counts = pd.crosstab(used["label"], used["part"]).reindex(columns=parts, fill_value=0)
    lost = [f"{label} in {part}" for part in parts for label in counts.index[counts[part] == 0]]
    if lost:
        pairs = name_some((f"{table['path'][at]} {reason[at]}" for at in leaks), 3)
        what = (
            f"the parts of the given split show the same things: without the {len(leaks)} photos of training "
            f"and validation that repeat in another part ({pairs}) there are none left of {name_some(lost)}"
        )
        raise DataError(what, remedy=_POOL)
