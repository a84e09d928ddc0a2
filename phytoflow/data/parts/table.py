"""The table of one part as a Parquet file, which is whole or absent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_type_hints

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.data.ingest.photo_row import PhotoRow
from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file

_KEY = b"phytoflow.part"
_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    float: pa.float64(),
    bytes: pa.binary(),
}
_REMEDY = "remove it and run again"


class PartInfo(BaseModel):
    """What a part's file says of itself.

    Attributes:
        number: Of the part, from 0.
        parts: How many there are.
        survey: Digest of the paths and sizes of all files.
        version: Changes with the photos, the settings and the code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    parts: int
    survey: str
    version: str


def write_part(file: Path, table: pd.DataFrame, info: PartInfo, root: Path | str) -> None:
    """Writes the rows of one part.

    Args:
        file: The file to write.
        table: From ``read_table``.
        info: Which part it is.
        root: Where the photos are; their places are written relative to it.

    Raises:
        StorageError: The disk is full or the place cannot be written.
    """
    # A name may be no UTF-8, so that it is kept as bytes.
    start = len(_prefix(root))
    places = [os.fsencode(place[start:]) for place in table["file"]]
    schema = _schema().with_metadata({_KEY: info.model_dump_json().encode()})
    rows = pa.Table.from_pandas(table.assign(file=places), schema, preserve_index=False)
    with atomic_file(file) as aside:
        pq.write_table(rows.replace_schema_metadata(schema.metadata), aside, compression="zstd")


def read_info(file: Path) -> PartInfo:
    """Reads which part a file holds.

    Raises:
        StorageError: It is no such file.
    """
    try:
        metadata = pq.read_schema(file).metadata or {}
        return PartInfo.model_validate_json(metadata.get(_KEY, b""))
    except (OSError, pa.ArrowException, ValidationError) as error:
        raise StorageError(f"{file} is not the table of a part: {error}", remedy=_REMEDY) from error


def read_part(file: Path, root: Path | str) -> pd.DataFrame:
    """Reads the rows of one part.

    Args:
        file: What ``write_part`` wrote, on this machine or another.
        root: Where the photos are now.

    Raises:
        StorageError: It is no such file.
    """
    try:
        table = pq.read_table(file, schema=_schema()).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{file} is not the table of a part: {error}", remedy=_REMEDY) from error
    prefix = _prefix(root)
    files = [prefix + os.fsdecode(place) for place in table["file"]]
    return table.assign(file=pd.Series(files, dtype=object))


def _prefix(root: Path | str) -> str:
    return f"{str(root).rstrip('/')}/"


def _schema() -> pa.Schema:
    hints = get_type_hints(PhotoRow)
    return pa.schema([(name, pa.binary() if name == "file" else _TYPES[hints[name]]) for name in hints])
