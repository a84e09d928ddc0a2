"""Retired words: private vocabulary for which the field has a standard term."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.house.tree import ROOT, tracked_files

LIST = Path(__file__).with_name("retired.toml")


class Hit(NamedTuple):
    """A retired word in a file.

    Attributes:
        place: File and line.
        word: The word as it stands there.
        instead: What to write instead.
    """

    place: str
    word: str
    instead: str


@cache
def retired_words(root: Path = ROOT) -> list[Hit]:
    """Finds retired words in code, documents, tests and configuration."""
    content = tomllib.loads(LIST.read_text())
    # Letters only: the word is also found as a part of snake_case names.
    pattern = re.compile(rf"(?<![a-z])({'|'.join(content['words'])})(?![a-z])", re.IGNORECASE)
    instead = {word.lower(): text for word, text in content["words"].items()}
    return [
        Hit(f"{name}:{number}", word, instead[word.lower()])
        for name in tracked_files(root)
        if not name.startswith(tuple(content["exempt"]))
        for number, line in _lines(root / name)
        for word in pattern.findall(line)
    ]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        yield from enumerate(path.read_text().splitlines(), 1)
    except UnicodeDecodeError:  # an image
        return
