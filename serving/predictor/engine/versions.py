"""Which version of the model answers: loaded, swapped and unloaded while requests come in.

A new version is prepared whole beside the old one (fetched, checked against its probe photos, warmed up),
then takes its place between two requests. A request keeps the version it began with; the old one ends when
the last of them is answered.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import threading

from phytoflow.errors import PhytoflowError
from phytoflow.inference.classifier import Classifier
from serving.predictor.engine.bundle_loader import Bundles
from serving.predictor.engine.engine import Engine
from serving.predictor.errors import NOT_LOADED, RequestError
from serving.predictor.observability.metrics import CHANGES, METADATA, QUEUE_DEPTH
from serving.predictor.options import Options

_LOG = logging.getLogger(__name__)


class Versions:
    """The version that answers, if any.

    Args:
        name: Of the model.
        bundles: Where versions come from.
        first: The one to begin with.
        options: How they are run.
    """

    def __init__(self, name: str, bundles: Bundles, first: Classifier, options: Options) -> None:
        self._name = name
        self._bundles = bundles
        self._options = options
        self._changing = asyncio.Lock()
        self._current: Engine | None = None
        self._put(Engine(first, options))
        _give_back_memory()

    @property
    def alive(self) -> bool:
        """Whether a version is loaded and can answer."""
        return self._current is not None and self._current.alive

    @property
    def loaded(self) -> bool:
        """Whether there is a version."""
        return self._current is not None

    @property
    def current(self) -> Engine:
        """The version that answers a request that begins now.

        Raises:
            RequestError: 503, none is loaded.
        """
        if self._current is None:
            raise RequestError(503, NOT_LOADED, "no version of the model is loaded")
        return self._current

    async def load(self, name: str = "") -> Engine:
        """Prepares another version and puts it in the place of the one that answers.

        Args:
            name: A folder beneath the bundle root; empty: the bundle given at the start, as it is now.

        Raises:
            RequestError: 409 while another is being loaded; 422, this one cannot be served: the old one goes
                on. The message says why.
        """
        # Shielded: half a change would be left behind by a client that leaves.
        return await asyncio.shield(asyncio.ensure_future(self._load(name)))

    async def unload(self) -> None:
        """Lets the version finish what it has; from now on requests are refused."""
        await asyncio.shield(asyncio.ensure_future(self._unload()))

    async def close(self) -> None:
        """Finishes what waits, for the end of the process."""
        if self._current is not None:
            await self._current.retired()

    async def _load(self, name: str) -> Engine:
        self._check_free()
        async with self._changing:
            engine = await asyncio.to_thread(self._prepared, name)
            await self._end(self._put(engine))
            return engine

    async def _unload(self) -> None:
        self._check_free()
        async with self._changing:
            await self._end(self._put(None))

    def _check_free(self) -> None:
        if self._changing.locked():
            raise RequestError(
                409, "version_change_in_progress", "another version is being loaded or unloaded"
            )

    def _prepared(self, name: str) -> Engine:
        """Whatever is wrong with a version, the one that answers is not to notice."""
        try:
            return Engine(self._bundles.open(name), self._options)
        except Exception as error:
            CHANGES.labels("rejected").inc()
            _LOG.exception("%s was not loaded", name or self._options.bundle)
            why = error.message if isinstance(error, PhytoflowError) else "the predictor's log says why"
            message = f"not loaded, nothing was changed: {why}"
            raise RequestError(422, "version_rejected", message) from error

    def _put(self, engine: Engine | None) -> Engine | None:
        """One assignment in the event loop: a request sees the old version or the new one. Gives the old."""
        old, self._current = self._current, engine
        CHANGES.labels("loaded" if engine else "unloaded").inc()
        if engine:
            _announce(self._name, engine)
        return old

    async def _end(self, engine: Engine | None) -> None:
        if engine is not None:
            await engine.retired()
            await asyncio.to_thread(self._bundles.discard, engine.classifier)
            _LOG.info("version %s has ended", engine.version)
        asyncio.get_running_loop().call_soon(_give_back_memory)


def _announce(name: str, engine: Engine) -> None:
    manifest, choice = engine.classifier.bundle.manifest, engine.classifier.choice
    facts = {"name": name, "version": engine.version}
    QUEUE_DEPTH.set_function(engine.depth)
    METADATA.info(
        facts | {"backbone": manifest.backbone, "runtime": choice.name, "precision": choice.precision}
    )
    _LOG.info(
        "version %s answers, by %s in %s on %s: %s",
        engine.version,
        choice.name,
        choice.precision,
        choice.device,
        choice.reason,
    )


def _give_back_memory() -> None:
    """Returns free pages to the system: those of a version that ended, or of runtimes tried and not taken."""
    threading.Thread(target=ctypes.CDLL(None).malloc_trim, args=(0,), daemon=True).start()
