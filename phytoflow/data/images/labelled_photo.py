"""A labelled photo as it is in its file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo's bytes with its label and group.

    Attributes:
        path: POSIX path relative to the folder of photos.
        label: Class name.
        group: Name of the leaf or plant shown; all photos of a group are in the same split.
        content: The encoded photo, unchanged.
    """

    path: str
    label: str
    group: str
    content: bytes
