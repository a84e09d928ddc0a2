"""The publish step: the bundle is served, checked and made champion."""

from __future__ import annotations

import logging
from pathlib import Path

from phytoflow.steps.settings import PublishStepSettings
from phytoflow.steps.target import on_cluster
from phytoflow.storage.uri import local_path

PUBLISH_PHOTOS = 16

_LOG = logging.getLogger(__name__)


def publish(bundle: Path, version: str, dataset: Path, settings: PublishStepSettings, output: str) -> str:
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

    if not settings.serving.publish:
        _LOG.info("serving.publish is off: version %s stays challenger", version)
        return ""
    photos = list(islice(Dataset.open(dataset).photos("test"), PUBLISH_PHOTOS))
    if on_cluster(settings.serving, output):
        from phytoflow.steps.cluster_publish import publish as deploy

        url = deploy(bundle, version, photos, settings, output).url
    else:
        from phytoflow.deploy.local.publisher import publish as start

        folder = local_path(output)
        url = start(folder / "bundle", settings.serving, folder / "predictor.json", photos).url
    promote(settings.tracking, output, version)
    return url
