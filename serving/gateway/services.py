"""Everything the gateway works with, opened and closed together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from serving.gateway.auth.authenticate import Authenticator
from serving.gateway.auth.ended_sessions import EndedSessions
from serving.gateway.auth.keys import ApiKeys
from serving.gateway.auth.local_issuer import LocalIssuer
from serving.gateway.auth.principal import Principal
from serving.gateway.auth.sessions import Sessions, read_secret
from serving.gateway.auth.tokens import TokenVerifier
from serving.gateway.feedback.service import FeedbackService
from serving.gateway.housekeeping import Housekeeper
from serving.gateway.jobs.queue import TaskQueue
from serving.gateway.jobs.redis_queue import RedisTaskQueue
from serving.gateway.jobs.sql_queue import SqlTaskQueue
from serving.gateway.jobs.worker import Worker
from serving.gateway.limits.limiter import Limiter
from serving.gateway.log import queries
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.log.tables import Prediction
from serving.gateway.log.writer import LogWriter
from serving.gateway.prediction import PredictionService
from serving.gateway.problems import ProblemError
from serving.gateway.rollout.comparer import Comparer
from serving.gateway.rollout.controller import RolloutController
from serving.gateway.rollout.store import RolloutStore
from serving.gateway.settings import GatewaySettings
from serving.gateway.upstream.fleet import Fleet

_LOG = logging.getLogger(__name__)


@dataclass
class Services:
    """The parts of a gateway process.

    Attributes:
        settings: Everything that was said.
        database: The database.
        log: The prediction log.
        photos: The photo store.
        limiter: The rate limit.
        local_issuer: Signs tokens of this machine; None if they are not accepted.
        authenticator: Finds out who asks.
        ended_sessions: Sessions of the console that were signed out.
        fleet: The predictors.
        comparer: Compares the models of a rollout.
        rollouts: Follows and decides on rollouts.
        predictions: Classifies photos.
        feedback: Takes corrections and reviews.
        tasks: The queue of asynchronous predictions.
        draining: Whether the process is about to end: it is no longer ready.
    """

    settings: GatewaySettings
    database: Database
    log: LogWriter
    photos: PhotoStore
    limiter: Limiter
    local_issuer: LocalIssuer | None
    authenticator: Authenticator
    ended_sessions: EndedSessions
    fleet: Fleet
    comparer: Comparer
    rollouts: RolloutController
    predictions: PredictionService
    feedback: FeedbackService
    tasks: TaskQueue
    draining: bool = False
    _background: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def of(cls, settings: GatewaySettings) -> Services:
        """Makes the parts; nothing is connected yet."""
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database.of(settings)
        log = LogWriter(
            database,
            Journal(settings.directory / "journal", settings.log.max_journal_bytes),
            settings.log.flush_seconds,
            monitored=settings.watches_drift,
        )
        photos = PhotoStore(settings.photos, settings.photo_uri, log.mark_stored)
        issuer = LocalIssuer.open(settings.directory) if settings.auth.local_issuer else None
        ended_sessions = EndedSessions(database, settings.auth.session_hours)
        sessions = Sessions(
            read_secret(settings.directory),
            settings.auth.session_hours,
            secure=settings.server.public_url.startswith("https:"),
            ended=ended_sessions,
        )
        upstream = settings.upstream
        fleet = Fleet(upstream, features=settings.log.features)
        comparer = Comparer(fleet)
        rollouts = RolloutController(
            RolloutStore(database, upstream.champion), fleet, comparer, upstream.champion, upstream.challenger
        )
        tasks: TaskQueue
        tasks = (
            RedisTaskQueue(settings.redis, settings.tasks)
            if settings.redis.url
            else SqlTaskQueue(database, settings.tasks)
        )
        return cls(
            settings=settings,
            database=database,
            log=log,
            photos=photos,
            limiter=Limiter(settings.limits, settings.redis),
            local_issuer=issuer,
            authenticator=Authenticator(
                TokenVerifier(settings.auth.issuers, issuer), ApiKeys(database), sessions
            ),
            ended_sessions=ended_sessions,
            fleet=fleet,
            comparer=comparer,
            rollouts=rollouts,
            predictions=PredictionService(fleet, log, photos, comparer),
            feedback=FeedbackService(database, photos),
            tasks=tasks,
        )

    async def prediction_for(self, caller: Principal, prediction_id: str) -> Prediction:
        """A prediction that the caller may see: one's own; reviewers see all.

        Raises:
            ProblemError: 404, also for another user's: its existence is nobody's business.
        """
        row = await queries.find_prediction(self.database, self.log, prediction_id)
        reviewer = bool({"review", "admin"} & caller.scopes)
        if row is None or not (row.user_id == caller.user_id or reviewer):
            raise ProblemError(404, "no_such_prediction", "there is no prediction of this id")
        return row

    async def open(self) -> None:
        """Connects, and begins the background work."""
        if self.database.is_sqlite:
            await self.database.migrate()  # a laptop has no migration job
        await self.ended_sessions.refresh()
        await self.fleet.open()
        await self.tasks.open()
        self.log.start()
        housekeeper = Housekeeper(self.database, self.photos, self.tasks, self.settings.log.retention_days)
        worker = Worker(self.tasks, self.predictions, self.settings.tasks)
        self._background = [asyncio.create_task(worker.run()) for _ in range(self.settings.tasks.workers)]
        others = (housekeeper.run(), self.rollouts.run(), self.ended_sessions.run())
        self._background += [asyncio.create_task(other) for other in others]
        self.comparer.start()
        if self.settings.watches_drift:
            from serving.gateway.drift.job import DriftJob  # scipy: 40 MB that a gateway without it spares

            self._background.append(asyncio.create_task(DriftJob(self.database, self.settings).run()))

    async def close(self) -> None:
        """Ends the background work, writes what is left, and closes every connection."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.comparer.close()
        await self.photos.settle()
        with contextlib.suppress(Exception):
            await self.tasks.close()
        await self.log.close()
        await self.fleet.close()
        await self.database.close()
