"""The model registry: which bundles there are, which one is challenger and which one serves as champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.errors import TrackingError
from phytoflow.storage.uri import is_local, local_path
from phytoflow.tracking.evaluation_run import bundle_run
from phytoflow.tracking.mlflow_client import open_client, tracking_errors, tracking_uri
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER, CHAMPION = "challenger", "champion"
BUNDLE_TAG = "bundle_version"
_FOLDER = "bundle"


@dataclass(frozen=True)
class Champion:
    """The bundle that is published now.

    Attributes:
        path: Its folder.
        version: Its version in the registry.
    """

    path: Path
    version: str


def register(
    bundle: Path, settings: TrackingSettings, output: str | Path, *, tags: dict[str, str] | None = None
) -> str:
    """Registers a bundle and makes it challenger. The same bundle again gives the version it has.

    The bundle is kept as an artifact of the run that trained it (``provenance.run_id``), or of a run of
    its own where that is not known; the version is made last, so that none points at half a bundle.

    Args:
        bundle: The bundle's folder.
        settings: Names the registry and the model in it.
        output: Holds the registry if ``settings.uri`` is empty.
        tags: Further tags of the version.

    Returns:
        The version's number, as MLflow writes it.

    Raises:
        BundleError: The folder holds no whole bundle.
        TrackingError: MLflow cannot be reached, or refuses.
    """
    manifest, name = Bundle.load(bundle).manifest, settings.registered_model
    client = open_client(settings, output)
    with tracking_errors(tracking_uri(settings, output)):
        _ensure_model(client, name)
        version = _version_of(client, name, manifest.version)
        if version is None:
            tracker = bundle_run(settings, output, bundle)
            tracker.log_artifact(bundle, _FOLDER)
            tracker.finish()
            facts = {BUNDLE_TAG: manifest.version, "data_hash": manifest.provenance.data_hash} | (tags or {})
            source = tracker.artifact_uri(_FOLDER)
            created = client.create_model_version(name, source, run_id=tracker.run_id, tags=facts)
            version = str(created.version)
        client.set_registered_model_alias(name, CHALLENGER, version)
    return version


def promote(settings: TrackingSettings, output: str | Path, version: str) -> None:
    """Makes a version the champion.

    Raises:
        TrackingError: MLflow cannot be reached, or has no such version.
    """
    with tracking_errors(tracking_uri(settings, output)):
        open_client(settings, output).set_registered_model_alias(settings.registered_model, CHAMPION, version)


def champion(settings: TrackingSettings, output: str | Path, work: Path) -> Champion | None:
    """The champion's bundle, where it lies or brought into ``work``; None while there is no champion.

    Raises:
        TrackingError: MLflow cannot be reached, or the champion's bundle is gone.
    """
    client = open_client(settings, output)
    with tracking_errors(tracking_uri(settings, output)):
        version = _champion_version(client, settings.registered_model)
        if version is None:
            return None
        source = str(client.get_model_version_download_uri(version.name, version.version))
        path = local_path(source) if is_local(source) else _download(client, version, work)
    if not (path / MANIFEST).exists():
        what = f"the bundle of champion {version.name} version {version.version} is gone from {source}"
        raise TrackingError(what, remedy="promote another version, or set gate.compare_champion=false")
    return Champion(path, str(version.version))


def _ensure_model(client: MlflowClient, name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'", max_results=1):
        client.create_registered_model(name)


def _version_of(client: MlflowClient, name: str, bundle_version: str) -> str | None:
    chosen = f"name = '{name}' and tags.{BUNDLE_TAG} = '{bundle_version}'"
    found = client.search_model_versions(chosen, max_results=1)
    return str(found[0].version) if found else None


def _champion_version(client: MlflowClient, name: str) -> ModelVersion | None:
    models = client.search_registered_models(f"name = '{name}'", max_results=1)
    if not models or CHAMPION not in models[0].aliases:
        return None
    return client.get_model_version_by_alias(name, CHAMPION)


def _download(client: MlflowClient, version: ModelVersion, work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    return Path(client.download_artifacts(version.run_id or "", _FOLDER, str(work)))
