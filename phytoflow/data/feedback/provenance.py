"""``provenance.csv``: where each collected photo comes from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from phytoflow.errors import DataError
from phytoflow.storage.uri import exists, join, put_bytes, read_bytes

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


def read_provenance(root: str | Path) -> list[CollectedPhoto]:
    """The rows of a data set; empty if nothing was collected into it yet.

    Args:
        root: The data set, a folder or URI.

    Raises:
        DataError: The file was not written by this command.
        StorageError: The store cannot be read.
    """
    file = join(root, PROVENANCE)
    if not exists(file):
        return []
    content = read_bytes(file)
    try:
        lines = io.StringIO(content.decode(), newline="")
        return [CollectedPhoto(**row) for row in csv.DictReader(lines, strict=True)]
    except (TypeError, UnicodeDecodeError, csv.Error) as error:
        what = f"{file} was not written by `phytoflow data collect`: {error}"
        raise DataError(what, remedy="rename the file, or collect into another folder") from error


def write_provenance(root: str | Path, rows: Iterable[CollectedPhoto]) -> None:
    """Writes all rows; the file is whole or as it was."""
    write_table(join(root, PROVENANCE), COLUMNS, (list(asdict(row).values()) for row in rows))


def write_table(file: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Writes a CSV file that is whole or as it was; one with the same content keeps its time."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    content = lines.getvalue().encode()
    if not exists(file) or read_bytes(file) != content:
        put_bytes(content, file)
