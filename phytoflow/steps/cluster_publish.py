"""Publishing on a cluster: what the publish step does there, and what the configure step checks first."""

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
    """Copies a bundle to where pods can read it, and publishes it.

    Args:
        bundle: Folder of the bundle.
        model_version: Its version in the model registry.
        photos: Photos whose answers are compared with those offline, besides the bundle's probe photos.
        settings: What the step reads.
        output: s3:// prefix of the run.

    Raises:
        StorageError: The bundle cannot be delivered.
        DeployError: Says why it was not published. The version published before goes on serving.
    """
    here = Bundle.load(bundle)
    uri = store_bundle(here, output)
    contents = [photo.content for photo in photos]
    offline = Classifier.load(bundle, settings.serving.runtime).predict(contents)
    wanted = _with_runtime(settings.deploy, settings.serving)
    smoke_test = SmokeTest.from_probes(here, wanted.extra_args).extended(contents, offline.probabilities)
    cluster = Cluster.connect(wanted.namespace)
    result = deploy(
        cluster, settings.serving.name, release_of(here, uri, model_version=model_version), smoke_test, wanted
    )
    state = "serves" if result.changed else "serves already"
    _LOG.info("%s/%s %s version %s at %s", result.namespace, result.name, state, result.version, result.url)
    return result


def check(serving: ServingSettings, deploy_settings: DeploySettings, output: str) -> None:
    """Asks the cluster, in a dry run, whether it would take the InferenceService.

    Args:
        serving: Name and runtime of the predictor.
        deploy_settings: The InferenceService.
        output: s3:// prefix of the run.

    Raises:
        ConfigError: The name cannot be served.
        DeployError: The cluster would refuse it; says why (no KServe, no permission, a webhook).
    """
    check_name(serving.name)
    cluster = Cluster.connect(deploy_settings.namespace)
    release = Release(f"{output}/bundles/none", "none")
    wanted = _with_runtime(deploy_settings, serving)
    body = inference_service(serving.name, cluster.namespace, release, wanted)
    cluster.apply(INFERENCE_SERVICES, body, dry_run=True)


def _with_runtime(settings: DeploySettings, serving: ServingSettings) -> DeploySettings:
    """Passes ``serving.runtime`` on as an argument of the predictor."""
    if serving.runtime == "auto":
        return settings
    arguments = (*settings.extra_args, "--runtime", serving.runtime)
    return settings.model_copy(update={"extra_args": arguments})
