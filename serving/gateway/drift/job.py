"""The background job: takes logged predictions in order, exactly once over all replicas."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from phytoflow.errors import BundleError, PhytoflowError
from phytoflow.monitoring.monitor import Assessment, MonitorState
from phytoflow.monitoring.reference import NoReferenceError
from serving.gateway import metrics
from serving.gateway.drift import tables
from serving.gateway.drift.gauges import publish
from serving.gateway.drift.watch import Watch
from serving.gateway.jobs.webhook import send_webhook
from serving.gateway.log.database import UNAVAILABLE, Database
from serving.gateway.log.queries import LoggedPrediction
from serving.gateway.settings import GatewaySettings

_BATCH = 500
_ASSESS_EVERY = timedelta(seconds=60)  # tests on what moved cost some 100 ms
_REOPEN_SECONDS = 60.0  # a bundle that cannot be read, or is not the one that answers, is opened again
_LOG = logging.getLogger(__name__)


class DriftJob:
    """Compares what the predictor is sent with the champion's reference.

    Every replica runs one. A batch is one transaction: the state is locked, photos are taken from the queue
    that the log's writer fills, and the new state is stored. So each photo counts once, whichever replica
    takes it, and a killed one leaves nothing half done.

    Args:
        database: The database.
        settings: The gateway's settings.
    """

    def __init__(self, database: Database, settings: GatewaySettings) -> None:
        self._database, self._settings = database, settings
        self._uri = settings.upstream.champion_bundle
        self._watch: Watch | None = None
        self._opened = 0.0
        self._sending: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """Works until cancelled."""
        metrics.DRIFT_LAST_SUCCESS.set_to_current_time()  # so that a job which never succeeds grows old, too
        while True:
            await asyncio.sleep(self._settings.monitoring.every_seconds * random.uniform(0.8, 1.2))
            try:
                while await self.advance():
                    pass
                await self.assess_late()
                publish(await tables.read_states(self._database))
                metrics.DRIFT_LAST_SUCCESS.set_to_current_time()
            except BundleError as error:
                _LOG.warning("drift is not watched: %s", str(error).splitlines()[0])
                if isinstance(error, NoReferenceError):
                    metrics.DRIFT_LAST_SUCCESS.set(0)  # it has nothing to do: nobody need hear of it
                await self._give_up()
            except (*UNAVAILABLE, PhytoflowError) as error:
                _LOG.warning("drift is not watched: %s", str(error).splitlines()[0])
            except Exception:  # whatever it is, the photos stay in the queue, and the job goes on
                _LOG.exception("drift is not watched")

    async def _give_up(self) -> None:
        """Without a reference nothing is compared: the queue must not grow until a better bundle is there."""
        with contextlib.suppress(*UNAVAILABLE):
            async with self._database.connection() as connection:
                await tables.clear_waiting(connection)
        await asyncio.sleep(_REOPEN_SECONDS)

    async def advance(self) -> bool:
        """Takes one batch; whether there may be more.

        Raises:
            BundleError, StorageError: The champion's bundle has no reference, or cannot be read.
        """
        watch = self._watch or await self._open()
        async with self._database.connection() as connection:
            if not await tables.waiting(connection, 1):
                return False  # without a lock, which is a write
        async with self._database.connection() as connection:
            row = await tables.lock_state(self._database, connection, watch.version)
            waiting = await tables.waiting(connection, _BATCH)
            mine = [prediction for _, version, prediction in waiting if version == watch.version]
            if len(mine) < len(waiting) and await self._is_replaced():
                return True  # with the new bundle
            if mine:
                await self._compare(connection, watch, row, mine)
            if waiting:
                await tables.remove_waiting(connection, [number for number, *_ in waiting])
        return len(waiting) == _BATCH

    async def _compare(
        self,
        connection: AsyncConnection,
        watch: Watch,
        row: tables.DriftRow,
        mine: list[LoggedPrediction],
    ) -> None:
        before = row.state if row.state and watch.monitor.fits(row.state) else watch.monitor.start()
        photos, names = watch.observe(mine)
        if not names:
            return  # a log sender's own labels: nothing to compare
        state, totals = await asyncio.to_thread(watch.monitor.advance, before, photos, names)
        now = datetime.now(UTC)
        if _is_due(row, now) or bool(state.alarm_at) != bool(before.alarm_at):
            assessment = await self._assess(connection, watch, state)
            assessed = now
        else:
            assert row.assessment is not None and row.assessed is not None
            update = {"photos": state.wealth.photos, "wealth": state.wealth.total(watch.monitor.bets)}
            assessment, assessed = row.assessment.model_copy(update=update), _utc(row.assessed)
        await tables.store_state(connection, watch.version, state, assessment, assessed, now)
        accuracy = assessment.accuracy.thresholded
        await tables.count_hour(self._database, connection, watch.version, float(totals.max()), accuracy)
        await self._note(connection, watch.version, row.assessment, assessment)

    async def assess_late(self) -> None:
        """Assesses photos that came soon after an assessment, if none have followed them for a minute."""
        watch = self._watch
        rows = await tables.read_states(self._database)
        if watch is None or not any(_is_late(row, watch.version) for row in rows):
            return  # without a lock, which is a write
        async with self._database.connection() as connection:
            row = await tables.lock_state(self._database, connection, watch.version)
            if row.state is None or not _is_late(row, watch.version):
                return
            assessment, now = await self._assess(connection, watch, row.state), datetime.now(UTC)
            await tables.store_state(connection, watch.version, row.state, assessment, now, now)
            await self._note(connection, watch.version, row.assessment, assessment)

    async def _assess(self, connection: AsyncConnection, watch: Watch, state: MonitorState) -> Assessment:
        right = await tables.judged(connection, state.names)
        return await asyncio.to_thread(watch.monitor.assess, state, np.array(right, bool))

    async def _note(
        self, connection: AsyncConnection, version: str, before: Assessment | None, now: Assessment
    ) -> None:
        """Stores what changed for people, and tells the webhook."""
        grade = before.grade if before else "none"
        if now.grade == grade:
            return
        kind = "over" if now.grade == "none" else "alarm" if grade == "none" else "graded"
        await tables.add_event(connection, version, kind, now)
        _LOG.warning("drift of version %s: %s, %s", version, kind, now.grade)
        url, tasks = self._settings.monitoring.webhook_url, self._settings.tasks
        if url:
            document = {"event": f"drift.{kind}", "model_version": version, **now.model_dump(mode="json")}
            sending = asyncio.create_task(send_webhook(url, document, tasks))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    async def _is_replaced(self) -> bool:
        """Whether the bundle is of another version by now; looked at once a minute at most."""
        if asyncio.get_running_loop().time() - self._opened < _REOPEN_SECONDS:
            return False
        before = self._watch
        return (await self._open()).version != (before.version if before else "")

    async def _open(self) -> Watch:
        self._opened = asyncio.get_running_loop().time()
        self._watch = await asyncio.to_thread(Watch.open, self._uri)
        return self._watch


def _is_due(row: tables.DriftRow, now: datetime) -> bool:
    return row.assessment is None or row.assessed is None or now - _utc(row.assessed) >= _ASSESS_EVERY


def _is_late(row: tables.DriftRow, version: str) -> bool:
    """Whether photos wait for an assessment that is due."""
    if row.version != version or row.assessed is None or row.updated is None:
        return False
    return row.updated > row.assessed and _is_due(row, datetime.now(UTC))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
