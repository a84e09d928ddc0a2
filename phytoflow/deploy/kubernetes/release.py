"""A bundle in an object store, as something to be published."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.deploy.kubernetes.inference_service import Release
from phytoflow.deploy.kubernetes.revisions import Revision
from phytoflow.deploy.kubernetes.smoke_test import Exam
from phytoflow.errors import ConfigError, DeployError
from phytoflow.storage.uri import exists, fetch_folder, join, put_file

_SCHEMES = ("s3", "gs")


def check_uri(uri: str, what: str) -> None:
    """Refuses a place that a cluster's storage initializer cannot read.

    Raises:
        ConfigError: It is not an object store's.
    """
    if urlsplit(uri).scheme not in _SCHEMES:
        remedy = "run with --output s3://bucket/prefix, or copy the bundle to an object store first"
        raise ConfigError(f"{what} is {uri}, where a cluster cannot read it", remedy=remedy)


def fetch(uri: str, to: Path) -> Bundle:
    """Brings a bundle here and checks it whole, before a cluster hears of it.

    Raises:
        ConfigError: The URI is not an object store's.
        StorageError: Nothing is there, or the store cannot be read.
        BundleError: It is damaged.
    """
    check_uri(uri, "the bundle")
    return Bundle.load(fetch_folder(uri, to))


def release_of(bundle: Bundle, uri: str, *, model_version: str = "") -> Release:
    """What is published: where it is, and where it comes from, for the annotations.

    Args:
        bundle: The bundle, here.
        uri: Where the cluster reads it.
        model_version: In the model registry.
    """
    manifest = bundle.manifest
    facts = {
        "model-version": model_version,
        "run": manifest.provenance.run_id,
        "data-hash": manifest.provenance.data_hash,
        "code-version": manifest.provenance.code_version,
        "created": manifest.provenance.created,
    }
    return Release(uri, manifest.version, facts | _metrics(bundle.path / "metrics.json"))


def exam_of(revision: Revision, to: Path) -> Exam:
    """The exam of a spec that served before.

    Raises:
        DeployError: Another bundle lies where its bundle was.
        StorageError: None lies there any more.
    """
    bundle = fetch(revision.bundle_uri, to)
    if bundle.manifest.version != revision.bundle_version:
        what = f"{revision.bundle_uri} holds version {bundle.manifest.version} now, "
        remedy = "deploy a bundle that is still there; give every bundle a URI of its own"
        raise DeployError(f"{what}not {revision.bundle_version}", reason="bundle", remedy=remedy)
    return Exam.of_probes(bundle)


def keep(bundle: Bundle, output: str) -> str:
    """Puts a bundle where no later run overwrites it: pods that start next month read the same files.

    Returns:
        ``output``/bundles/VERSION; the manifest comes last, so that one with a manifest is whole.
    """
    uri = join(output, "bundles", bundle.manifest.version)
    if not exists(join(uri, MANIFEST)):
        names = [p.relative_to(bundle.path) for p in sorted(bundle.path.rglob("*")) if p.is_file()]
        for name in sorted(names, key=lambda name: name.as_posix() == MANIFEST):
            put_file(bundle.path / name, join(uri, name.as_posix()))
    return uri


def _metrics(file: Path) -> dict[str, str]:
    try:
        metrics = json.loads(file.read_text())
        return {"accuracy": f"{metrics['accuracy']:.4f}", "macro-f1": f"{metrics['macro_f1']:.4f}"}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a bundle that was never evaluated
