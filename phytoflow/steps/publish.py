"""The publish step: the bundle is served, checked and made champion."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.evaluation.outcome import Publication
from phytoflow.provenance import now
from phytoflow.steps.report import add_publication
from phytoflow.steps.settings import PublishStepSettings
from phytoflow.steps.target import on_cluster
from phytoflow.storage.uri import local_path

PUBLISH_PHOTOS = 16

_LOG = logging.getLogger(__name__)


def publish(bundle: Path, version: str, dataset: Path, settings: PublishStepSettings, output: str) -> str:
    """Serves the bundle, here or on the cluster, checks its answers and makes the version champion.

    Where it was published, or why not, is added to the report.

    Args:
        bundle: Folder of the complete bundle.
        version: Version in the model registry.
        dataset: Folder of the dataset; some of its test photos are sent to the predictor.
        settings: What the step reads.
        output: The run's folder or prefix.

    Returns:
        URL of the predictor; empty if ``serving.publish`` is off.

    Raises:
        ServingError: The predictor did not become ready, or its answers differ from those offline. What was
            published before goes on serving.
    """
    tracking = settings.tracking
    if not settings.serving.publish:
        _LOG.info("serving.publish is off: version %s stays challenger", version)
        publication = Publication(published=False, reason="serving.publish is off")
        add_publication(publication, bundle, tracking, output)
        return ""
    try:
        url = _serve(bundle, version, dataset, settings, output)
    except PhytoflowError as error:
        add_publication(Publication(published=False, reason=error.message), bundle, tracking, output)
        raise
    where = "the cluster" if on_cluster(settings.serving, output) else "this machine"
    publication = Publication(
        published=True, url=url, model_name=settings.serving.name, where=where, time=now()
    )
    add_publication(publication, bundle, tracking, output)
    return url


def _serve(bundle: Path, version: str, dataset: Path, settings: PublishStepSettings, output: str) -> str:
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.registry import promote

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
