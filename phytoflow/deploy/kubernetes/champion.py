"""The registry's champion as something to be published."""

from __future__ import annotations

from pathlib import Path

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, Release
from phytoflow.deploy.kubernetes.release import check_uri, release_of, store_bundle
from phytoflow.errors import TrackingError
from phytoflow.tracking.registry import champion
from phytoflow.tracking.settings import TrackingSettings


def champion_release(
    cluster: Cluster, name: str, tracking: TrackingSettings, store: str, work: Path
) -> tuple[Bundle, Release]:
    """Brings the champion's bundle here and to where the cluster can read it.

    A service that serves the champion already keeps its location, so that publishing again changes nothing.

    Args:
        cluster: Where the service is, or will be.
        name: Name of the InferenceService.
        tracking: The model registry.
        store: ``s3://`` prefix below which the bundle is stored as ``bundles/VERSION``.
        work: Folder for a local copy.

    Raises:
        ConfigError: ``store`` is not in an object store.
        TrackingError: There is no champion, or the registry cannot be read.
        StorageError: The store cannot be written.
    """
    check_uri(store, "the store of bundles")
    current = champion(tracking, store, work)
    if current is None:
        what = f"the model {tracking.registered_model} has no champion"
        remedy = "publish a run, or set the alias `champion` in MLflow; see tracking.registered_model"
        raise TrackingError(what, remedy=remedy)
    bundle = Bundle.load(current.path)
    uri = _served_from(cluster, name, bundle.manifest.version) or store_bundle(bundle, store)
    return bundle, release_of(bundle, uri, model_version=current.version)


def _served_from(cluster: Cluster, name: str, version: str) -> str:
    """Location of the bundle that the service serves, if it has this version. Empty otherwise."""
    service = cluster.get(INFERENCE_SERVICES, name) or {"metadata": {}}
    if (service["metadata"].get("annotations") or {}).get(BUNDLE_VERSION) != version:
        return ""
    return str(service["spec"]["predictor"].get("model", {}).get("storageUri", ""))
