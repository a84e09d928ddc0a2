"""Text that both databases can store and that people can be shown."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of characters, line and paragraph separators
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# The same characters for clients that read the OpenAPI description.
_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"


def printable(text: str, limit: int) -> str:
    """The text without controls and characters that reorder others, in the form NFC, shortened.

    PostgreSQL refuses the character NUL; the others could make a name look like another one.
    """
    return "".join(c for c in unicodedata.normalize("NFC", text) if _is_printable(c))[:limit]


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE and character not in _REORDERING


def _require_printable(text: str) -> str:
    if not all(_is_printable(c) for c in text):
        raise ValueError("control characters are not allowed")
    return text


PrintableText = Annotated[
    str, AfterValidator(_require_printable), Field(json_schema_extra={"pattern": _PATTERN})
]
"""Text of a request without control characters."""
