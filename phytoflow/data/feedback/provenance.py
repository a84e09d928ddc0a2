"""``provenance.csv``: where each collected photo comes from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from phytoflow.errors import DataError
from phytoflow.storage.atomic import atomic_file

PROVENANCE = "provenance.csv"


@dataclass(frozen=True)
class CollectedPhoto:
    """One row.

    Attributes:
        path: Path within the data set, with ``/``.
        prediction_id: Id of the prediction at the gateway.
        user: Pseudonym of the user who sent it.
        created: When, ISO 8601.
        label: The accepted class.
        predicted: The class that the model had given.
        confidence: The probability that it had given it.
        model_version: Version of the model.
        photo_sha256: Hash of the photo as it was sent.
        file_sha256: Hash of the file, which has no metadata.
        phash: Perceptual hash, 16 hexadecimal digits.
        gateway: Address of the gateway.
    """

    path: str
    prediction_id: str
    user: str
    created: str
    label: str
    predicted: str
    confidence: str
    model_version: str
    photo_sha256: str
    file_sha256: str
    phash: str
    gateway: str


COLUMNS = tuple(field.name for field in fields(CollectedPhoto))


def read_provenance(folder: Path) -> list[CollectedPhoto]:
    """The rows of a data set; empty if nothing was collected into it yet.

    Raises:
        DataError: The file was not written by this command.
    """
    file = folder / PROVENANCE
    if not file.exists():
        return []
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [CollectedPhoto(**row) for row in csv.DictReader(lines, strict=True)]
    except (TypeError, UnicodeDecodeError, csv.Error) as error:
        what = f"{file} was not written by `phytoflow data collect`: {error}"
        raise DataError(what, remedy="rename the file, or collect into another folder") from error


def write_provenance(folder: Path, rows: Iterable[CollectedPhoto]) -> None:
    """Writes all rows; the file is whole or as it was."""
    write_table(folder / PROVENANCE, COLUMNS, (list(asdict(row).values()) for row in rows))


def write_table(file: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Writes a CSV file that is whole or as it was."""
    with atomic_file(file) as aside, aside.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
