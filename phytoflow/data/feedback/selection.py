"""Which accepted predictions become photos of a data set, and under which names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from phytoflow.client.gateway.answers import AcceptedPrediction
from phytoflow.data.ingest.file_names import is_hidden

PREFIX = "feedback-"
"""Begin of the names of collected files; tells them from a data set's own."""
_MAX_FOLDER_BYTES = 255


@dataclass(frozen=True)
class Selected:
    """An accepted prediction whose photo is collected.

    Attributes:
        accepted: The prediction.
        label: Its accepted class, which is the folder.
    """

    accepted: AcceptedPrediction
    label: str


@dataclass(frozen=True)
class Selection:
    """Which predictions are collected.

    Attributes:
        selected: Those, oldest first.
        skipped: Id and reason of each of the others.
    """

    selected: list[Selected]
    skipped: dict[str, str]

    @property
    def ids(self) -> set[str]:
        """Ids of all accepted predictions."""
        return {one.accepted.id for one in self.selected} | self.skipped.keys()


def select(accepted: Iterable[AcceptedPrediction]) -> Selection:
    """Chooses one prediction for each photo, and none of photos with contradicting classes."""
    by_photo: dict[str, list[AcceptedPrediction]] = defaultdict(list)
    for one in sorted(accepted, key=lambda one: one.id):
        by_photo[one.photo_sha256 or one.id].append(one)
    selected: list[Selected] = []
    skipped: dict[str, str] = {}
    for same in by_photo.values():
        first = same[0]
        if len({one.corrected_label for one in same}) > 1:
            skipped |= {one.id: "the same photo was accepted as several classes" for one in same}
            continue
        skipped |= {one.id: f"the same photo as {first.id}" for one in same[1:]}
        if is_folder_name(label := first.corrected_label or ""):
            selected.append(Selected(first, label))
        else:
            skipped[first.id] = f"{label!r} cannot be the name of a folder"
    return Selection(selected, skipped)


def is_folder_name(label: str) -> bool:
    """Whether a class can be a folder that is read as a class, on every system."""
    return (
        bool(label)
        and label == label.strip()
        and label.isprintable()
        and not set(label) & set('/\\:*?"<>|')
        and not label.endswith(".")
        and not is_hidden(label)
        and len(label.encode()) <= _MAX_FOLDER_BYTES
    )
