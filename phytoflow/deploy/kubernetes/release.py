"""A bundle in an object store, ready to be published."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.deploy.kubernetes.inference_service import Release
from phytoflow.deploy.kubernetes.revisions import Revision
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.errors import ConfigError, DeployError
from phytoflow.storage.uri import exists, fetch_folder, join, put_file

_SCHEMES = ("s3", "gs")  # that KServe's storage initializer and phytoflow.storage both read


def check_uri(uri: str, what: str) -> None:
    """Checks that a cluster's storage initializer can read a location.

    Args:
        uri: The location.
        what: What is there, for the message.

    Raises:
        ConfigError: The location is not in an object store, or a URL parser reads another one.
    """
    parts = urlsplit(uri)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        remedy = "run with --output s3://bucket/prefix, or copy the bundle to an object store first"
        raise ConfigError(f"{what} is {uri}, where a cluster cannot read it", remedy=remedy)
    if "?" in uri or "#" in uri:
        remedy = "choose a prefix without ? and #, after which KServe would read nothing more"
        raise ConfigError(f"{what} is {uri}, of which a cluster reads only a part", remedy=remedy)


def fetch_bundle(uri: str, to: Path) -> Bundle:
    """Downloads a bundle and verifies it before anything is sent to a cluster.

    Raises:
        ConfigError: The location is not in an object store.
        StorageError: There is no bundle, or the store cannot be read.
        BundleError: The bundle is damaged.
    """
    check_uri(uri, "the bundle")
    return Bundle.load(fetch_folder(uri, to))


def release_of(bundle: Bundle, uri: str, *, model_version: str = "") -> Release:
    """Describes a bundle for publishing: its location and the provenance that is annotated.

    Args:
        bundle: A local copy of the bundle.
        uri: Where the cluster reads it.
        model_version: Its version in the model registry.
    """
    manifest = bundle.manifest
    facts = {
        "model-version": model_version,
        "run": manifest.provenance.run_id,
        "data-hash": manifest.provenance.data_hash,
        "code-version": manifest.provenance.code_version,
        "created": manifest.provenance.created,
    }
    return Release(uri, manifest.version, facts | _headline_metrics(bundle.path / "metrics.json"))


def load_smoke_test(revision: Revision, to: Path) -> SmokeTest:
    """Downloads the bundle of a spec that served before and returns its smoke test.

    Raises:
        DeployError: There is another bundle at its location now (reason ``bundle``).
        StorageError: There is no bundle any more.
    """
    bundle = fetch_bundle(revision.bundle_uri, to)
    if bundle.manifest.version != revision.bundle_version:
        what = f"{revision.bundle_uri} holds version {bundle.manifest.version} now, "
        remedy = "deploy a bundle that is still there; give every bundle a URI of its own"
        raise DeployError(f"{what}not {revision.bundle_version}", reason="bundle", remedy=remedy)
    arguments = revision.body["spec"]["predictor"]["model"].get("args", ())
    return SmokeTest.from_probes(bundle, arguments)


def store_bundle(bundle: Bundle, output: str) -> str:
    """Uploads a bundle to a location that no later run overwrites, so that pods can always read it.

    The manifest is uploaded last: a prefix with a manifest holds a complete bundle.

    Returns:
        ``output``/bundles/VERSION.

    Raises:
        StorageError: The store cannot be written.
    """
    uri = join(output, "bundles", bundle.manifest.version)
    if not exists(join(uri, MANIFEST)):
        names = [p.relative_to(bundle.path) for p in sorted(bundle.path.rglob("*")) if p.is_file()]
        for name in sorted(names, key=lambda name: name.as_posix() == MANIFEST):
            put_file(bundle.path / name, join(uri, name.as_posix()))
    return uri


def _headline_metrics(file: Path) -> dict[str, str]:
    """Accuracy and macro-F1 of a bundle. Empty for one that was never evaluated."""
    try:
        metrics = json.loads(file.read_text())
        return {"accuracy": f"{metrics['accuracy']:.4f}", "macro-f1": f"{metrics['macro_f1']:.4f}"}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
