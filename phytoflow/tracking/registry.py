"""The model registry: which bundles there are, which one is challenger and which one is champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.errors import TrackingError
from phytoflow.storage.uri import local_path
from phytoflow.tracking.evaluation_run import bundle_run
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER, CHAMPION = "challenger", "champion"
BUNDLE_TAG = "bundle_version"
_FOLDER = "bundle"


@dataclass(frozen=True)
class Champion:
    """The bundle that is published.

    Attributes:
        path: Its folder.
        version: Its version in the registry.
    """

    path: Path
    version: str


def register(
    bundle: Path, settings: TrackingSettings, output: str | Path, *, tags: Mapping[str, str] | None = None
) -> str:
    """Registers a bundle and makes it challenger. A bundle that is registered keeps its version.

    The bundle becomes an artifact of the run that trained it (``provenance.run_id``), or of a run of its own
    if that is not known. The version is created last, so that none points to an incomplete bundle.

    Args:
        bundle: Folder of the bundle.
        settings: The registry and the name of the model in it.
        output: Holds the registry if ``settings.uri`` is empty.
        tags: Further tags of the version.

    Returns:
        The number of the version, as MLflow writes it.

    Raises:
        BundleError: The folder holds no complete bundle.
        TrackingError: MLflow cannot be reached, or refuses.
        StorageError: The disk is full, or the output folder cannot be written.
    """
    manifest, name = Bundle.load(bundle).manifest, settings.registered_model
    store = open_store(settings, output)
    with store.errors():
        _ensure_model(store.client, name)
        version = _find_version(store.client, name, manifest.version)
        if version is None:
            facts = {BUNDLE_TAG: manifest.version, "data_hash": manifest.provenance.data_hash}
            version = _create_version(store.client, bundle, settings, output, facts | dict(tags or {}))
        store.client.set_registered_model_alias(name, CHALLENGER, version)
    return version


def promote(settings: TrackingSettings, output: str | Path, version: str) -> None:
    """Makes a version the champion.

    Raises:
        TrackingError: MLflow cannot be reached, or has no such version.
    """
    store = open_store(settings, output)
    with store.errors():
        store.client.set_registered_model_alias(settings.registered_model, CHAMPION, version)


def champion(settings: TrackingSettings, output: str | Path, work: Path) -> Champion | None:
    """The champion's bundle where it lies, or downloaded into ``work``; None while there is no champion.

    Raises:
        TrackingError: MLflow cannot be reached, or the champion's bundle no longer exists.
    """
    store = open_store(settings, output)
    with store.errors():
        version = _champion_version(store.client, settings.registered_model)
        if version is None:
            return None
        source = str(store.client.get_model_version_download_uri(version.name, version.version))
        path = local_path(source) if _is_folder(source) else _download(store.client, version, work)
    if not (path / MANIFEST).exists():
        what = f"the bundle of champion {version.name} version {version.version} is gone from {source}"
        raise TrackingError(what, remedy="promote another version, or set gate.compare_champion=false")
    return Champion(path, str(version.version))


def champion_number(settings: TrackingSettings, output: str | Path) -> str | None:
    """The version of the champion in the registry, without its files; None while there is none.

    Raises:
        TrackingError: MLflow cannot be reached.
    """
    store = open_store(settings, output)
    with store.errors():
        version = _champion_version(store.client, settings.registered_model)
    return str(version.version) if version else None


def _ensure_model(client: MlflowClient, name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'", max_results=1):
        client.create_registered_model(name)


def _find_version(client: MlflowClient, name: str, bundle_version: str) -> str | None:
    query = f"name = '{name}' and tags.{BUNDLE_TAG} = '{bundle_version}'"
    versions = client.search_model_versions(query, max_results=1)
    return str(versions[0].version) if versions else None


def _create_version(
    client: MlflowClient,
    bundle: Path,
    settings: TrackingSettings,
    output: str | Path,
    tags: dict[str, str],
) -> str:
    with bundle_run(settings, output, bundle) as tracker:
        tracker.log_artifact(bundle, _FOLDER)
        tracker.complete_model(tags[BUNDLE_TAG])
    source = tracker.artifact_uri(_FOLDER)
    name = settings.registered_model
    return str(client.create_model_version(name, source, run_id=tracker.run_id, tags=tags).version)


def _champion_version(client: MlflowClient, name: str) -> ModelVersion | None:
    models = client.search_registered_models(f"name = '{name}'", max_results=1)
    if not models or CHAMPION not in models[0].aliases:
        return None
    return client.get_model_version_by_alias(name, CHAMPION)


def _is_folder(source: str) -> bool:
    """Whether an artifact location is a folder of this machine; a server's is ``mlflow-artifacts:/...``."""
    return urlsplit(source).scheme in ("", "file")


def _download(client: MlflowClient, version: ModelVersion, work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    return Path(client.download_artifacts(version.run_id or "", _FOLDER, str(work)))
