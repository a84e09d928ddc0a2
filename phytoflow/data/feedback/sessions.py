"""``groups.csv`` of collected photos: photos of one moment or that look alike stay in one split."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phytoflow.data.feedback.provenance import CollectedPhoto, write_table
from phytoflow.data.feedback.selection import PREFIX
from phytoflow.data.images.limits import Limits
from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.ingest.path_table import read_path_table
from phytoflow.data.ingest.scan import measure_look
from phytoflow.data.settings import DataSettings
from phytoflow.storage.uri import exists, join, read_bytes

GROUPS = "groups.csv"
_SESSION_SECONDS = 60.0  # a user's photos this close in time may show one plant


def write_groups(root: str | Path, photos: Sequence[CollectedPhoto], settings: DataSettings) -> None:
    """Writes ``groups.csv``; its rows about other photos of the data set stay.

    Args:
        root: The data set, a folder or URI.
        photos: Its collected photos.
        settings: Distance of near-duplicates, and limits of photos.
    """
    file = join(root, GROUPS)
    others = read_path_table(file, "group").rows if exists(file) else []
    kept = [(row.path, row.value) for row in others if not Path(row.path).name.startswith(PREFIX)]
    named = zip((photo.path for photo in photos), _name_groups(root, photos, settings), strict=True)
    write_table(file, ("path", "group"), sorted([*kept, *named]))


def _name_groups(root: str | Path, photos: Sequence[CollectedPhoto], settings: DataSettings) -> list[str]:
    """A group for each photo, named after its first one."""
    links = [*_sessions(photos), *_look_alikes(root, photos, settings)]
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(len(photos), len(photos)))
    _, component = connected_components(graph, directed=False)
    ids = pd.Series([photo.prediction_id for photo in photos], dtype=object)
    return [f"{PREFIX}{name}" for name in ids.groupby(component).transform("min")] if len(photos) else []


def _sessions(photos: Sequence[CollectedPhoto]) -> list[tuple[int, int]]:
    """Pairs of photos that one user sent within a minute."""
    times = [datetime.fromisoformat(photo.created).timestamp() for photo in photos]
    order = sorted(range(len(photos)), key=lambda at: (photos[at].user, times[at]))
    return [
        (one, two)
        for one, two in itertools.pairwise(order)
        if photos[one].user == photos[two].user and times[two] - times[one] <= _SESSION_SECONDS
    ]


def _look_alikes(
    root: str | Path, photos: Sequence[CollectedPhoto], settings: DataSettings
) -> list[tuple[int, int]]:
    limits = Limits(settings.max_bytes, settings.max_pixels, settings.min_side)
    looks = [measure_look(read_bytes(join(root, photo.path)), limits) for photo in photos]
    table = pd.DataFrame(looks, columns=["phash", "thumbnail"])
    pairs = near_duplicates(table, settings.near_duplicate_max_distance)
    return [(int(one), int(two)) for one, two in pairs]
