"""Parameters of a V2 inference request, and how photos are divided among requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phytoflow.protocol.constants import MAX_EXPLAINED_PHOTOS, VIEWS

Photo = bytes | str | Path
"""An encoded photo, or the path of its file."""


@dataclass(frozen=True)
class InferParameters:
    """Parameters of a request; unset ones are not sent.

    Attributes:
        top_k: Labels per photo; None: the predictor's default.
        tta: ``flips`` or ``crops``: views of each photo that are averaged; None: the photo alone.
        explain: Whether each prediction comes with a heat map.
        label: Class to explain; None: each photo's most likely one.
    """

    top_k: int | None = None
    tta: str | None = None
    explain: bool = False
    label: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The parameters as the protocol names them."""
        values = {"top_k": self.top_k, "tta": self.tta, "explain": self.explain or None, "class": self.label}
        return {name: value for name, value in values.items() if value is not None}

    def photos_per_request(self, limit: int) -> int:
        """How many photos fit into a request of ``limit`` photos: each view counts."""
        # An augmentation that this client does not know is left for the predictor to refuse.
        views = next((count for name, count in VIEWS.items() if name == self.tta), 1)
        return max(1, min(limit, MAX_EXPLAINED_PHOTOS) if self.explain else limit // views)


def chunk_photos(photos: Sequence[Photo], size: int) -> Iterator[Sequence[Photo]]:
    """Divides photos into groups of at most ``size``."""
    for start in range(0, len(photos), size):
        yield photos[start : start + size]
