"""Groups of photos that show the same thing and therefore must be in the same split."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phytoflow.data.ingest.file_names import name_some
from phytoflow.data.ingest.grouping.camera_runs import PLANTVILLAGE, cut_runs, is_plantvillage
from phytoflow.data.ingest.path_table import Row, match_paths, read_path_table
from phytoflow.data.settings import DataSettings
from phytoflow.errors import ConfigError, DataError

_LOG = logging.getLogger(__name__)


def group_photos(table: pd.DataFrame, near: NDArray[np.int64], settings: DataSettings) -> pd.Series:
    """Names the group of each photo.

    Groups come from the CSV file and the pattern of the settings. Without a pattern, photos that the file
    does not name are grouped by PlantVillage's camera numbers if their names are PlantVillage's.
    Near-duplicates are always put together.

    Args:
        table: Readable photos, index 0..N-1, as ``scan`` returns them.
        near: int64 [P, 2], pairs of row positions that look the same.
        settings: Names the CSV file and the pattern.

    Returns:
        N group names; each is the group's first key, or the path of its first photo.

    Raises:
        DataError: The CSV or the pattern does not fit these photos.
        ConfigError: The pattern is not a regular expression, or lacks a group.
        StorageError: The CSV file cannot be read.
    """
    keys = list(_read_keys(table, settings))
    first, second = near.T
    for key in keys:
        links = _link(key)
        first, second = np.concatenate([first, links[0]]), np.concatenate([second, links[1]])
    shape = (len(table), len(table))
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=shape)
    _, component = connected_components(graph, directed=False)
    return _name_groups(table, component, keys)


def _link(key: pd.Series) -> NDArray[np.int64]:
    """Links each photo to the first one of its key [2, L]; photos without a key stay alone."""
    keyed = np.nonzero((key != "").to_numpy())[0]
    _, start, which = np.unique(key.to_numpy(dtype=str)[keyed], return_index=True, return_inverse=True)
    return np.stack([keyed, keyed[start[which]]])


def _name_groups(table: pd.DataFrame, component: NDArray[np.int32], keys: list[pd.Series]) -> pd.Series:
    """The first key in a component, or the first path if no photo of it has a key."""
    keyed = pd.Series(pd.NA, index=table.index, dtype="string")
    for key in keys:
        keyed = keyed.fillna(key.where(key != "").astype("string"))
    first_key, first_path = (names.groupby(component).transform("min") for names in (keyed, table["path"]))
    return first_key.fillna(first_path).astype(object).rename("group")


def _read_keys(table: pd.DataFrame, settings: DataSettings) -> Iterator[pd.Series]:
    """Yields a key for each photo from each source; empty for a photo that the source does not name."""
    others = table  # photos that the CSV file does not name
    if settings.groups_csv:
        key = _from_csv(table, settings.groups_csv)
        others = table[key == ""]
        yield key
    if settings.group_pattern:
        yield _from_pattern(table, _compile(settings.group_pattern), settings.camera_number_gap)
    elif is_plantvillage(others["path"]):
        key = _from_pattern(others, PLANTVILLAGE, settings.camera_number_gap)
        yield key.reindex(table.index, fill_value="")


def _from_csv(table: pd.DataFrame, uri: str) -> pd.Series:
    rows, columns = read_path_table(uri, "group")
    if unused := sorted(set(columns) - {"path", "group", "label"}):
        _LOG.warning("%s: these columns are not read: %s", uri, ", ".join(unused))
    matched = match_paths(rows, table["path"])
    unknown = sorted({row.path for row in rows} - set(matched))
    if unknown:
        what = f"{uri} names {len(unknown)} paths that are no readable photos: {name_some(unknown)}"
        raise DataError(what, remedy="correct these paths, relative to the photos' folder, or remove them")
    groups = pd.DataFrame(rows, columns=Row._fields).groupby("path")["value"].agg(["nunique", "first"])
    unclear = groups.index[(groups["nunique"] > 1) | (groups["first"] == "")]
    if len(unclear):
        what = f"{uri} gives no group, or two, to {len(unclear)} photos: {name_some(unclear)}"
        raise DataError(what, remedy="give each photo one group")
    by_path = {matched[str(path)]: group for path, group in groups["first"].items()}
    return table["path"].map(by_path).fillna("")


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        what = f"data.group_pattern is not a regular expression: {error}"
        raise ConfigError(what, remedy="see the syntax of Python's re module") from error
    if not compiled.groups:
        remedy = r"put what names the thing into parentheses, e.g. '^(leaf\d+)_'"
        raise ConfigError("data.group_pattern has no group", remedy=remedy)
    return compiled


def _from_pattern(table: pd.DataFrame, pattern: re.Pattern[str], gap: int) -> pd.Series:
    """Keys from the pattern's groups, within a class; camera numbers, if the pattern has them, in runs."""
    names = table["path"].str.rpartition("/")[2]
    matches = names.map(pattern.search)
    if not matches.map(bool).any():
        what = f"data.group_pattern matches none of the file names, such as {names.iloc[0]!r}"
        raise DataError(what, remedy="correct the pattern, or leave it empty")
    labels = zip(table["label"], matches, strict=True)
    parts = ["/".join([label, *_texts(match)]) if match else "" for label, match in labels]
    keys = pd.Series(parts, index=table.index)
    return _with_runs(table, keys, matches, gap) if "number" in pattern.groupindex else keys


def _texts(match: re.Match[str]) -> list[str]:
    """The texts of the pattern's groups, without the number."""
    number = match.re.groupindex.get("number")
    return [match[at] or "" for at in range(1, match.re.groups + 1) if at != number]


def _with_runs(table: pd.DataFrame, keys: pd.Series, matches: pd.Series, gap: int) -> pd.Series:
    with_runs = keys.copy()
    for key, rows in keys[keys != ""].groupby(keys):
        try:
            numbers = np.array([int(matches[at]["number"]) for at in rows.index])
        except (TypeError, ValueError) as error:
            what = f"data.group_pattern: its group 'number' is not a number in {table['path'][rows.index[0]]}"
            raise ConfigError(what, remedy=r"let it match digits: (?P<number>\d+)") from error
        for piece in cut_runs(numbers, table["thumbnail"][rows.index].to_list(), gap):
            with_runs[rows.index[piece]] = f"{key}/{numbers[piece[0]]}"
    return with_runs
