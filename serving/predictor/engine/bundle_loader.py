"""Fetches bundles and opens them as classifiers."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path

from phytoflow.errors import BundleError
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.uri import fetch_folder, is_local, join, local_path
from serving.predictor.options import Options

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_MAX_NAME = 256  # characters


class BundleLoader:
    """Opens the bundle that the predictor was started with, and those in ``bundle_repository``.

    Args:
        options: The bundle, the repository and how bundles are run.
        folder: Where remote bundles are stored while they are in use.
    """

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._folder = folder.resolve()

    def open(self, name: str = "") -> Classifier:
        """Fetches a bundle and checks it: its files against their hashes, its answers on its probe photos.

        Args:
            name: Folder in ``bundle_repository``; empty: the bundle given at startup, as it is now.

        Raises:
            BundleError: There is no bundle of that name, or it is damaged.
            ParityError: It does not give the recorded answers on its probe photos on this machine.
            StorageError: It cannot be fetched.
        """
        options, target = self._options, self._folder / uuid.uuid4().hex
        try:
            bundle = fetch_folder(self._locate(name), target)
            # One thread a call, as many calls at a time as workers: two single-threaded calls beat one call
            # with two threads.
            return Classifier.load(
                bundle,
                options.runtime,  # type: ignore[arg-type]
                1,
                concurrency=options.inference_threads,
                precision=options.precision,  # type: ignore[arg-type]
            )
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

    def discard(self, classifier: Classifier) -> None:
        """Removes the files fetched for a classifier that is no longer used."""
        path = classifier.bundle.path.resolve()
        if path.is_relative_to(self._folder):
            shutil.rmtree(path, ignore_errors=True)

    def _locate(self, name: str) -> str:
        """URI of a bundle; refuses a name that leads out of the repository."""
        root = self._options.bundle_repository
        if not name:
            return self._options.bundle
        if not root:
            remedy = "start the predictor with --bundle_repository"
            raise BundleError("no other bundles are offered", remedy=remedy)
        if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
            what = "a bundle is named by folders in the repository, such as apple/2"
            raise BundleError(what, remedy="")
        uri = join(root, name)
        if is_local(uri) and not local_path(uri).resolve().is_relative_to(local_path(root).resolve()):
            raise BundleError(f"{name} leads out of the repository")
        return uri
