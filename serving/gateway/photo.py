"""A photo on its way through the gateway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Photo:
    """A photo as it came.

    Attributes:
        content: Encoded image.
        name: File name that the client gave, without folders; may be empty.
    """

    content: bytearray | bytes
    name: str = ""
