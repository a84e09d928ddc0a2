"""One labelled photograph, as it came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelledPhoto:
    """A photograph's bytes with what is known about it.

    Attributes:
        path: POSIX path relative to the folder of photos.
        label: Class name.
        group: Name of the thing shown; photos of one group never straddle a split.
        content: The encoded image, unchanged.
    """

    path: str
    label: str
    group: str
    content: bytes
