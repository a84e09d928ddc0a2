"""The prediction log of a gateway, read from its database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import ConfigError, DataError, StorageError
from phytoflow.monitoring.observations import Observations, observe, unpack_features
from phytoflow.ood.feature_statistics import FeatureStatistics
from phytoflow.outer_packages import make_importable

_DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")
_REMEDY = "give the URL of the gateway's database, for instance sqlite+aiosqlite:///stack/gateway.db"


def read_database(
    url: str, bundle: Bundle, statistics: FeatureStatistics | None
) -> Iterator[tuple[Observations, list[str]]]:
    """Yields what a bundle's version answered, oldest first, in batches.

    Raises:
        ConfigError: The URL names no database of a gateway.
        StorageError: The database cannot be read.
        DataError: The log has no prediction of this bundle.
    """
    place = _check_url(url)
    try:
        yield from _read(url, bundle, statistics)
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", error))
        raise StorageError(f"cannot read the log in {place}: {cause}", remedy=_REMEDY) from error


def _check_url(url: str) -> str:
    """The URL without its password; SQLite would make a file that is missing."""
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        raise ConfigError(f"{url.partition('://')[0]}://… is no database URL", remedy=_REMEDY) from error
    place = parsed.render_as_string()
    if parsed.drivername not in _DRIVERS:
        what = f"{place} is no database of a gateway: the URL begins with {' or '.join(_DRIVERS)}"
        raise ConfigError(what, remedy=_REMEDY)
    if parsed.drivername == _DRIVERS[0] and not Path(parsed.database or "").is_file():
        raise ConfigError(f"there is no database {parsed.database}", remedy=_REMEDY)
    return place


def _read(
    url: str, bundle: Bundle, statistics: FeatureStatistics | None
) -> Iterator[tuple[Observations, list[str]]]:
    make_importable("serving")
    from serving.gateway.log.database import Database
    from serving.gateway.log.queries import logged_predictions

    database, version, after = Database(url), bundle.manifest.version, ""
    classes = {name: index for index, name in enumerate(bundle.manifest.classes)}
    size = len(statistics.mean) if statistics else 0
    with asyncio.Runner() as runner:
        try:
            while rows := runner.run(logged_predictions(database, version, after)):
                known = [row for row in rows if row.label in classes]
                yield (
                    observe(
                        np.array([classes[row.label] for row in known], np.int64),
                        np.array([row.confidence for row in known], np.float32),
                        np.array([np.nan if r.novelty is None else r.novelty for r in known], np.float32),
                        unpack_features([row.features for row in known], size),
                        statistics,
                    ),
                    [row.id for row in known],
                )
                after = rows[-1].id
        finally:
            runner.run(database.close())
    if not after:
        what = f"the log has no prediction of version {version}"
        raise DataError(what, remedy="give the bundle that answered, and the gateway's own database")
