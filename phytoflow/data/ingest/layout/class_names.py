"""One spelling a class: names that differ only in case, spaces or Unicode form."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from phytoflow.data.ingest.findings import Finding


def class_labels(names: Iterable[str], merge: bool) -> dict[str, str]:
    """The label of each class folder, or of each label in a CSV file.

    Names that are the same text in two Unicode forms (macOS writes ``ö`` as two characters) are always one
    class: nobody could tell them apart.

    Args:
        names: As they are written in folders or in the CSV file.
        merge: Whether names that differ only in case or spaces are one class too. Its label is the first
            of them in sorting order, without spaces at its ends.
    """
    labels = {name: unicodedata.normalize("NFC", name) for name in names}
    if not merge:
        return labels
    spellings = _similar(labels.values())
    return {name: " ".join(min(spellings[_key(label)]).split()) for name, label in labels.items()}


def similar_findings(labels: Mapping[str, str]) -> list[Finding]:
    """Says which names were merged, and which labels are so similar that they may be one class."""
    return [*_merged(labels), *_unmerged(labels)]


def _merged(labels: Mapping[str, str]) -> list[Finding]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, label in labels.items():
        names[label].append(name)
    merged = [
        f"{label}: {' and '.join(map(_with_form, sorted(same)))}"
        for label, same in sorted(names.items())
        if len(same) > 1
    ]
    text = "Names that differ only in case, spaces or Unicode form and were merged into one class"
    return [Finding.of_names("merged classes", "note", text, merged)] if merged else []


def _unmerged(labels: Mapping[str, str]) -> list[Finding]:
    groups = (sorted(same) for _, same in sorted(_similar(labels.values()).items()) if len(same) > 1)
    similar = [" and ".join(map(repr, same)) for same in groups]
    text = (
        "Classes whose names differ only in case, spaces or Unicode form; if they are one class, "
        "set data.merge_similar_classes=true"
    )
    return [Finding.of_names("similar classes", "warning", text, similar)] if similar else []


def _similar(labels: Iterable[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        groups[_key(label)].add(label)
    return groups


def _key(label: str) -> str:
    """What is left of a name without case, spaces, invisible and compatibility characters (NFKC)."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    return "".join(char for char in text if not (char.isspace() or _is_invisible(char))) or label


def _is_invisible(char: str) -> bool:
    """Whether a character shows nothing itself: zero-width spaces, soft hyphens, variation selectors."""
    return unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"


def _with_form(name: str) -> str:
    """A name with its Unicode form if it has characters of which there are two."""
    if unicodedata.is_normalized("NFC", name) and unicodedata.is_normalized("NFD", name):
        return repr(name)
    return f"{name!r} ({'composed' if unicodedata.is_normalized('NFC', name) else 'decomposed'})"
