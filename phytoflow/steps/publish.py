"""The publish step: the bundle is served, checked and made champion."""

from __future__ import annotations

import logging
from pathlib import Path

from phytoflow.steps.context import read_settings
from phytoflow.steps.target import on_cluster
from phytoflow.storage.uri import local_path

PUBLISH_PHOTOS = 16

_LOG = logging.getLogger(__name__)


def publish(bundle: Path, version: str, dataset: Path, settings: str, output: str) -> str:
    """Serves the bundle, here or on the cluster, asks it real photos, and makes the version champion.

    Returns:
        URL of the predictor; empty where ``serving.publish`` is off.

    Raises:
        ServingError: It did not become ready, or does not answer as it does offline; what was published
            before goes on serving.
    """
    from itertools import islice

    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.registry import promote

    chosen = read_settings(settings)
    if not chosen.serving.publish:
        _LOG.info("serving.publish is off: version %s stays challenger", version)
        return ""
    photos = list(islice(Dataset.open(dataset).photos("test"), PUBLISH_PHOTOS))
    if on_cluster(chosen, output):
        from phytoflow.steps.cluster_publish import publish as deploy

        url = deploy(bundle, version, photos, chosen, output).url
    else:
        from phytoflow.deploy.local.publisher import publish as start

        folder = local_path(output)
        url = start(folder / "bundle", chosen.serving, folder / "predictor.json", photos).url
    promote(chosen.tracking, output, version)
    return url
