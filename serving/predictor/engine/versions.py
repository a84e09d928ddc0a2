"""Loads, swaps and unloads versions of the model while requests are served.

A new version is prepared completely while the current one serves: it is fetched, checked on its probe photos
and warmed up. It then replaces the current one between two requests. A request keeps the version that it
began with; the replaced version ends with its last request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import threading
from datetime import datetime

from phytoflow.errors import PhytoflowError
from phytoflow.inference.classifier import Classifier
from serving.predictor.engine.bundle_loader import BundleLoader
from serving.predictor.engine.engine import Engine
from serving.predictor.errors import NOT_LOADED, RequestError
from serving.predictor.observability.metrics import CHANGES, CREATED, METADATA, QUEUE_DEPTH
from serving.predictor.options import Options

_LOG = logging.getLogger(__name__)


class Versions:
    """The version that serves, if any.

    Args:
        name: Model name.
        loader: Opens bundles.
        first: The version to begin with.
        options: How versions are run.
    """

    def __init__(self, name: str, loader: BundleLoader, first: Classifier, options: Options) -> None:
        self._name = name
        self._loader = loader
        self._options = options
        self._change = asyncio.Lock()
        self._current: Engine | None = None
        self._replace(Engine(first, options))
        _trim_memory()

    @property
    def alive(self) -> bool:
        """Whether a version is loaded and its workers run."""
        return self._current is not None and self._current.alive

    @property
    def loaded(self) -> bool:
        """Whether a version is loaded."""
        return self._current is not None

    @property
    def current(self) -> Engine:
        """The version that serves a request that begins now.

        Raises:
            RequestError: 503, none is loaded.
        """
        if self._current is None:
            raise RequestError(503, NOT_LOADED, "no version of the model is loaded")
        return self._current

    async def load(self, name: str = "") -> Engine:
        """Prepares a version and replaces the current one with it.

        Args:
            name: Folder in the bundle repository; empty: the bundle given at startup, as it is now.

        Raises:
            RequestError: 409 if another change is in progress; 422 if the version cannot be served, with the
                reason. The current version then goes on.
        """
        # Shielded: a client that disconnects must not leave half a change behind.
        return await asyncio.shield(asyncio.ensure_future(self._load(name)))

    async def unload(self) -> None:
        """Refuses new requests and ends the version after its last request."""
        await asyncio.shield(asyncio.ensure_future(self._unload()))

    async def close(self) -> None:
        """Finishes what is queued, at the end of the process."""
        if self._current is not None:
            await self._current.drain()

    async def _load(self, name: str) -> Engine:
        self._check_no_change()
        async with self._change:
            engine = await asyncio.to_thread(self._prepare, name)
            await self._end(self._replace(engine))
            return engine

    async def _unload(self) -> None:
        self._check_no_change()
        async with self._change:
            await self._end(self._replace(None))

    def _check_no_change(self) -> None:
        if self._change.locked():
            what = "another version is being loaded or unloaded"
            raise RequestError(409, "version_change_in_progress", what)

    def _prepare(self, name: str) -> Engine:
        try:
            return Engine(self._loader.open(name), self._options)
        except Exception as error:  # whatever it is, the version that serves must not be affected
            CHANGES.labels("rejected").inc()
            _LOG.exception("%s was not loaded", name or self._options.bundle)
            why = error.message if isinstance(error, PhytoflowError) else "the predictor's log says why"
            message = f"not loaded, nothing was changed: {why}"
            raise RequestError(422, "version_rejected", message) from error

    def _replace(self, engine: Engine | None) -> Engine | None:
        """Sets the current version and returns the previous one.

        It is one assignment in the event loop: a request sees either the previous version or the new one.
        """
        previous, self._current = self._current, engine
        CHANGES.labels("loaded" if engine else "unloaded").inc()
        if engine:
            _announce(self._name, engine)
        return previous

    async def _end(self, engine: Engine | None) -> None:
        if engine is not None:
            await engine.drain()
            await asyncio.to_thread(self._loader.discard, engine.classifier)
            _LOG.info("version %s has ended", engine.version)
        # After this coroutine, whose frame still refers to the engine.
        asyncio.get_running_loop().call_soon(_trim_memory)


def _announce(name: str, engine: Engine) -> None:
    manifest, choice = engine.classifier.bundle.manifest, engine.classifier.choice
    QUEUE_DEPTH.set_function(engine.queue_depth)
    METADATA.info(
        {
            "name": name,
            "version": engine.version,
            "backbone": manifest.backbone,
            "runtime": choice.name,
            "precision": choice.precision,
        }
    )
    with contextlib.suppress(ValueError):  # old bundles do not say when they were made
        CREATED.set(datetime.fromisoformat(manifest.provenance.created).timestamp())
    text = "version %s is served by %s in %s on %s: %s"
    _LOG.info(text, engine.version, choice.name, choice.precision, choice.device, choice.reason)


def _trim_memory() -> None:
    """Returns free pages to the system, such as those of an ended version or of runtimes that were tried."""
    threading.Thread(target=ctypes.CDLL(None).malloc_trim, args=(0,), daemon=True).start()
