"""The cluster's side of a run: what its publish step does, and what is asked before a run spends anything."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.kubernetes.publisher import PublishResult, check_name, deploy
from phytoflow.deploy.kubernetes.release import release_of, store_bundle
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.steps.settings import PublishStepSettings

_LOG = logging.getLogger(__name__)


def publish(
    bundle: Path,
    model_version: str,
    photos: Sequence[LabelledPhoto],
    settings: PublishStepSettings,
    output: str,
) -> PublishResult:
    """Delivers a bundle where pods can always read it, and publishes it.

    Args:
        bundle: The bundle, here.
        model_version: In the model registry.
        photos: Asked besides the bundle's probes; the answers must be those of the bundle offline.
        settings: What the step reads.
        output: s3:// prefix of the run.

    Raises:
        StorageError: The bundle cannot be delivered.
        DeployError: Why it was not published; what was published before goes on serving.
    """
    here = Bundle.load(bundle)
    uri = store_bundle(here, output)
    contents = [photo.content for photo in photos]
    offline = Classifier.load(bundle, settings.serving.runtime).predict(contents)
    smoke_test = SmokeTest.from_probes(here).extended(contents, offline.probabilities)
    wanted = _with_runtime(settings.deploy, settings.serving)
    cluster = Cluster.connect(wanted.namespace)
    done = deploy(
        cluster, settings.serving.name, release_of(here, uri, model_version=model_version), smoke_test, wanted
    )
    did = "serves" if done.changed else "serves already"
    _LOG.info("%s/%s %s version %s at %s", done.namespace, done.name, did, done.version, done.url)
    return done


def check(serving: ServingSettings, deploy_settings: DeploySettings, output: str) -> None:
    """Asks the cluster to take the InferenceService without making it, before hours are spent on a model.

    Raises:
        ConfigError: The name cannot be served.
        DeployError: It would be refused: no KServe, no permission, a webhook; says why.
    """
    check_name(serving.name)
    cluster = Cluster.connect(deploy_settings.namespace)
    release = Release(f"{output}/bundles/none", "none")
    wanted = _with_runtime(deploy_settings, serving)
    body = inference_service(serving.name, cluster.namespace, release, wanted)
    cluster.apply(INFERENCE_SERVICES, body, dry_run=True)


def _with_runtime(settings: DeploySettings, serving: ServingSettings) -> DeploySettings:
    """``serving.runtime`` holds on a cluster too, as an argument of the predictor."""
    if serving.runtime == "auto":
        return settings
    arguments = (*settings.extra_args, "--runtime", serving.runtime)
    return settings.model_copy(update={"extra_args": arguments})
