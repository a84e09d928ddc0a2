"""CSV files that say something of each photo: ``path,label`` and ``path,group``."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from phytoflow.errors import DataError
from phytoflow.storage.uri import read_bytes

_DELIMITERS = (",", ";", "\t", "|")  # comma first: the others may stand inside of a header's words

_ZEROS_AND_ONES = ("0", "1", "0.0", "1.0", "True", "False")


class Row(NamedTuple):
    """One line: the number it has in an editor, the photo's path with ``/``, and the value; both stripped."""

    line: int
    path: str
    value: str


class PathTable(NamedTuple):
    """What a CSV file holds: its rows and the names of all its columns, in lower case."""

    rows: list[Row]
    columns: list[str]


def read_path_table(uri: str, value: str) -> PathTable:
    """Reads a CSV file with the columns ``path`` and ``value``; further columns are allowed.

    The delimiter (comma, semicolon, tab or ``|``) is the one that gives these columns. UTF-8 with or without
    a byte order mark, and UTF-16 with one, are read. Windows' backslashes become slashes.

    Args:
        uri: A path or URI.
        value: Name of the second column.

    Raises:
        DataError: It is no such file; the message names the line.
        StorageError: It cannot be read.
    """
    remedy = f"give a UTF-8 CSV with the columns path,{value}; paths relative to the photos' folder, with /"
    text = _decode(uri, read_bytes(uri), remedy)
    header, delimiter = _header(uri, text, value)
    _check_columns(uri, text, header, value, remedy)
    path_at, value_at = header.index("path"), header.index(value)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    rows = []
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                _check_width(uri, reader.line_num, cells, header)
                rows.append(Row(reader.line_num, _clean_path(cells[path_at]), cells[value_at].strip()))
    except csv.Error as error:
        raise DataError(f"{uri}, line {reader.line_num}: {error}", remedy=remedy) from error
    return PathTable(rows[1:], header)


def match_paths(rows: Iterable[Row], paths: Iterable[str]) -> dict[str, str]:
    """The path in the folder that each row's path means, whatever its Unicode form; others are left out."""
    known = set(paths)
    composed = {unicodedata.normalize("NFC", path): path for path in known}
    matched = {}
    for row in rows:
        path = row.path if row.path in known else composed.get(unicodedata.normalize("NFC", row.path))
        if path is not None:
            matched[row.path] = path
    return matched


def _decode(uri: str, content: bytes, remedy: str) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{uri} is not UTF-8 text: line {line} holds other bytes", remedy=remedy) from error
    if "\0" in text:
        raise DataError(f"{uri} is not a CSV file: it holds zero bytes", remedy=remedy)
    return text


def _header(uri: str, text: str, value: str) -> tuple[list[str], str]:
    """The column names, in lower case, and the delimiter between them."""
    first = next((line for line in _lines(text) if line.strip()), "")
    headers = []
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error as error:  # a "line" of more than 128 kB
            raise DataError(f"{uri} is not a CSV file: {error}", remedy="give a UTF-8 CSV") from error
        headers.append(([cell.strip().lower() for cell in cells], delimiter))
    fitting = [header for header in headers if {"path", value} <= set(header[0])]
    return fitting[0] if fitting else max(headers, key=lambda header: len(header[0]))


def _lines(text: str) -> io.StringIO:
    """The text as a file with the line ends of any system."""
    return io.StringIO(text, newline=None)


def _check_columns(uri: str, text: str, header: list[str], value: str, remedy: str) -> None:
    if not {"path", value} <= set(header):
        shown = ", ".join(header) if any(header) else "none"
        if _has_a_column_for_each_value(text):
            remedy = f"a column of zeros and ones for each {value} is not read; {remedy}"
        raise DataError(f"{uri} needs the columns path and {value}; it has {shown}", remedy=remedy)
    if twice := [name for name in ("path", value) if header.count(name) > 1]:
        what = f"{uri} has the column {twice[0]} {header.count(twice[0])} times"
        raise DataError(what, remedy=f"keep one column {twice[0]}: each photo has one {value}")


def _has_a_column_for_each_value(text: str) -> bool:
    """Whether the second line looks like that of a one-hot table: zeros and ones after the first cell."""
    second = next(itertools.islice(_lines(text), 1, None), "")
    _, *cells = re.split(r"[,;\t|]", second.strip())
    return len(cells) > 1 and all(cell.strip() in _ZEROS_AND_ONES for cell in cells)


def _check_width(uri: str, line: int, cells: list[str], header: list[str]) -> None:
    if len(cells) != len(header):
        what = f"{uri}, line {line} has {len(cells)} columns, the header has {len(header)}"
        raise DataError(what, remedy='put values that hold the delimiter into quotes, e.g. "rust, early"')


def _clean_path(path: str) -> str:
    return path.strip().replace("\\", "/").removeprefix("./")
