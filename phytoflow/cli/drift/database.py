"""The prediction log of a gateway, read from its database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import DataError
from phytoflow.monitoring.observations import Observations, observe, unpack_features
from phytoflow.ood.feature_statistics import FeatureStatistics
from phytoflow.outer_packages import make_importable


def read_database(
    url: str, bundle: Bundle, statistics: FeatureStatistics | None
) -> Iterator[tuple[Observations, list[str]]]:
    """Yields what a bundle's version answered, oldest first, in batches.

    Raises:
        DataError: The log has no prediction of this bundle.
    """
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
