"""Where the predictor's bundles come from, and how one becomes a classifier."""

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


class Bundles:
    """The bundle the predictor was started with, and those beneath ``bundle_repository``.

    Args:
        options: Which, and how they are run.
        folder: Remote bundles are kept here while they are used.
    """

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._folder = folder.resolve()

    def open(self, name: str = "") -> Classifier:
        """Fetches a bundle and checks it, whole and against its own probe photos.

        Args:
            name: A folder beneath ``bundle_repository``; empty: the bundle given at the start, as it is now.

        Raises:
            BundleError: There is none of that name, or it is damaged.
            ParityError: It does not give its probe photos their recorded answers here.
            StorageError: It cannot be fetched.
        """
        options, to = self._options, self._folder / uuid.uuid4().hex
        try:
            bundle = fetch_folder(self._uri(name), to)
            # A lane is one thread that decodes and runs: two single-thread runs beat one of two threads.
            return Classifier.load(
                bundle,
                options.runtime,  # type: ignore[arg-type]
                1,
                concurrency=options.inference_threads,
                precision=options.precision,  # type: ignore[arg-type]
            )
        except BaseException:
            shutil.rmtree(to, ignore_errors=True)
            raise

    def discard(self, classifier: Classifier) -> None:
        """Removes what was fetched for a classifier that is no longer used."""
        path = classifier.bundle.path.resolve()
        if path.is_relative_to(self._folder):
            shutil.rmtree(path, ignore_errors=True)

    def _uri(self, name: str) -> str:
        root = self._options.bundle_repository
        if not name:
            return self._options.bundle
        if not root:
            raise BundleError(
                "no other bundles are offered", remedy="start the predictor with --bundle_repository"
            )
        if len(name) > 256 or not _NAME.fullmatch(name):
            raise BundleError("a bundle is named by folders beneath the root, such as apple/2", remedy="")
        uri = join(root, name)
        if is_local(uri) and not local_path(uri).resolve().is_relative_to(local_path(root).resolve()):
            raise BundleError(f"{name} leads out of the root")
        return uri
