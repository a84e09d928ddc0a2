"""A photo's result as a line for a person, and as a CSV, JSON or JSON Lines file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from phytoflow.errors import ConfigError
from phytoflow.storage.atomic import atomic_file


@dataclass(frozen=True)
class PhotoResult:
    """What became of one photo.

    Attributes:
        path: As given, in valid UTF-8.
        labels: The most likely classes, best first; empty if the photo could not be classified.
        scores: Their probabilities, 0 to 1.
        known: False if the photo shows none of the classes; None if the bundle cannot tell.
        novelty: Distance from the training photos, above 1 unknown; None if the bundle cannot tell.
        error: Why the photo could not be classified; empty if it was.
    """

    path: str
    labels: Sequence[str] = ()
    scores: Sequence[float] = ()
    known: bool | None = None
    novelty: float | None = None
    error: str = ""

    def to_line(self) -> str:
        """One line for a person to read."""
        if self.error:
            return f"{self.path}: {self.error}"
        ranked = zip(self.labels, self.scores, strict=True)
        text = ", ".join(f"{label} {score:.1%}" for label, score in ranked)
        if self.known is False:
            return (
                f"{self.path}: unknown, unlike the training photos (novelty {self.novelty:.1f}; else {text})"
            )
        return f"{self.path}: {text}"

    def to_dict(self) -> dict[str, Any]:
        """The fields that have a value, as JSON has them."""
        if self.error:
            return {"path": self.path, "error": self.error}
        record: dict[str, Any] = {"path": self.path, "labels": list(self.labels)}
        record["scores"] = [round(score, 6) for score in self.scores]
        if self.novelty is not None:
            record |= {"known": self.known, "novelty": round(self.novelty, 4)}
        return record

    def to_json(self) -> str:
        """The fields on one line of JSON; names stay readable in any language."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def check_output(output: Path, suffixes: Collection[str]) -> None:
    """Refuses a file whose suffix names no known format, before a photo is read; raises ConfigError."""
    if output.suffix.lower() not in suffixes:
        remedy = f"end it with {' or '.join(suffixes)}"
        raise ConfigError(f"{output} does not say which format to write", remedy=remedy)
    if output.is_dir():
        raise ConfigError(f"{output} is a folder", remedy="name a file in it, e.g. predictions.csv")


def write_results(output: Path, results: Sequence[PhotoResult]) -> None:
    """Writes all results in the format that the file's suffix names; the file is whole or absent.

    Raises:
        StorageError: The disk is full or the file cannot be written.
    """
    with atomic_file(output) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        WRITERS[output.suffix.lower()](file, results)


def _write_csv(file: TextIO, results: Sequence[PhotoResult]) -> None:
    """One row per photo: the best class in ``label`` and ``score``, then ``label_2``, ``score_2``, ..."""
    ranks = range(1, 1 + max((len(result.labels) for result in results), default=1))
    pairs = [name if rank == 1 else f"{name}_{rank}" for rank in ranks for name in ("label", "score")]
    writer = csv.DictWriter(file, ["path", *pairs, "known", "novelty", "error"], restval="")
    writer.writeheader()
    for result in results:
        record = result.to_dict()
        labels, scores = record.pop("labels", []), record.pop("scores", [])
        ranked = [value for pair in zip(labels, scores, strict=True) for value in pair]
        if "known" in record:
            record["known"] = str(record["known"]).lower()
        writer.writerow(record | dict(zip(pairs, ranked, strict=False)))


def _write_json(file: TextIO, results: Sequence[PhotoResult]) -> None:
    json.dump([result.to_dict() for result in results], file, ensure_ascii=False, indent=1)
    file.write("\n")


def _write_json_lines(file: TextIO, results: Sequence[PhotoResult]) -> None:
    file.writelines(f"{result.to_json()}\n" for result in results)


WRITERS: dict[str, Callable[[TextIO, Sequence[PhotoResult]], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
    ".json": _write_json,
}
