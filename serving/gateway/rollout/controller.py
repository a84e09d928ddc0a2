"""Follows the rollout of all replicas, and decides on it when the evidence suffices."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from phytoflow.rollout.decide import Decision, decide
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sentences import REASONS
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage, next_stage, stopped_stage
from serving.gateway.log.database import UNAVAILABLE
from serving.gateway.log.tables import Rollout
from serving.gateway.metrics import ROLLOUT_PERCENT, ROLLOUT_STAGE_SECONDS
from serving.gateway.problems import ProblemError
from serving.gateway.rollout.comparer import Comparer
from serving.gateway.rollout.store import RolloutStore, settings_of, stage_of
from serving.gateway.upstream.fleet import Fleet, Split

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 1.0  # so that all replicas have rolled back well within five seconds


class RolloutController:
    """Runs rollouts.

    Every replica follows the newest one and may decide; a change counts only for the first of them.

    Args:
        store: The rollouts.
        fleet: The predictors.
        comparer: Compares answers of this process.
        champion: URL of the champion in the settings.
        challenger: URL of the challenger in the settings, shown while there is no rollout; may be empty.
    """

    def __init__(
        self, store: RolloutStore, fleet: Fleet, comparer: Comparer, champion: str, challenger: str
    ) -> None:
        self.store, self._fleet, self._comparer = store, fleet, comparer
        self._champion, self._challenger = champion, challenger
        self._followed = ("", -1)  # rollout and revision

    async def run(self) -> None:
        """Works until cancelled; after an error everything stays as it is until the next round."""
        while True:
            try:
                await self.tick()
            except Exception as error:  # an unreadable row or database: none may end the rounds
                _LOG.warning("the rollout waits: %s: %s", type(error).__name__, error)
            await asyncio.sleep(_EVERY_SECONDS)

    async def tick(self) -> None:
        """One round: hands over comparisons, decides, and follows."""
        await self._hand_over()
        row = await self.store.newest()
        if row is not None and stage_of(row).is_active:
            decision, evidence, at = await self.assess(row)
            if decision.action != "wait" and await self.store.change(
                row, decision.stage, decision.action, decision.reason, evidence, at
            ):
                _LOG.warning("rollout %s: %s at %d%%: %s", row.id, decision.stage.name,
                             decision.stage.percent, decision.reason)  # fmt: skip
                row = await self.store.newest()
        await self.follow(row)

    async def assess(self, row: Rollout) -> tuple[Decision, Evidence, datetime]:
        """What is to happen by the evidence at this moment."""
        at = datetime.now(UTC)
        evidence = await self.store.evidence(row, at)
        return decide(stage_of(row), evidence, settings_of(row)), evidence, at

    async def follow(self, row: Rollout | None) -> None:
        """Points the fleet at what a rollout says."""
        stage = stage_of(row) if row else Stage("aborted", 0)
        active = row is not None and stage.is_active
        ROLLOUT_PERCENT.set(stage.percent if active else 0)
        age = (datetime.now(UTC) - row.stage_since).total_seconds() if row and active else 0.0
        ROLLOUT_STAGE_SECONDS.set(age)
        key = (row.id, row.revision) if row else ("", 0)
        if key == self._followed:
            return
        champion, challenger, split = self._champion, self._challenger, None
        if row is not None:
            champion = _champion(row)
            challenger = row.challenger_url if active else self._challenger
            split = Split(row.id, stage.percent, settings_of(row)) if active else None
        await self._fleet.point(champion, challenger, split)
        self._followed = key

    async def start(self, challenger: str, settings: RolloutSettings, by: str) -> Rollout:
        """Begins a rollout.

        Raises:
            ProblemError: 409 while another one lasts, or if it is the champion itself.
        """
        row = await self.store.newest()
        if row is not None and stage_of(row).is_active:
            raise ProblemError(409, "rollout_active", "a rollout is in progress", remedy="abort it first")
        await self.follow(row)
        if challenger.rstrip("/") == self._fleet.champion.url:
            raise ProblemError(409, "same_predictor", "the challenger is the champion")
        started = await self.store.start(self._fleet.champion.url, challenger.rstrip("/"), settings, by)
        await self.follow(started)
        return started

    async def promote(self, by: str) -> None:
        """Goes to the next stage by a person's decision; raises ProblemError 409 without a rollout."""
        row = await self._active()
        stage = next_stage(stage_of(row), settings_of(row))
        await self._change_by_hand(row, stage, "promote", by)

    async def abort(self, by: str) -> None:
        """Gives all users back to the champion; raises ProblemError 409 without a rollout."""
        row = await self._active()
        await self._change_by_hand(
            row, stopped_stage(stage_of(row), by_hand=True, for_accuracy=False), "abort", by
        )

    async def settle(self, by: str) -> None:
        """Gives a promoted model's users to the champion of the settings, which has taken the model over.

        Raises:
            ProblemError: 409 if nothing was promoted, or the two predictors have different versions; 502,
                503 or 504 if one of them is away.
        """
        row = await self.store.newest()
        if row is None or stage_of(row).name != "promoted":
            raise ProblemError(409, "not_promoted", "no challenger was promoted")
        ours, promoted = [await self._fleet.version_at(url) for url in (row.base_url, row.challenger_url)]
        if ours != promoted:
            what = f"the champion of the settings has version {ours}, and {promoted} was promoted"
            raise ProblemError(409, "other_version", what, remedy="give it the promoted bundle first")
        await self._change_by_hand(row, Stage("settled", 100), "settle", by)

    async def _active(self) -> Rollout:
        row = await self.store.newest()
        if row is None or not stage_of(row).is_active:
            raise ProblemError(409, "no_rollout", "no rollout is in progress")
        return row

    async def _change_by_hand(self, row: Rollout, stage: Stage, action: str, by: str) -> None:
        await self._hand_over()
        at = datetime.now(UTC)
        evidence = await self.store.evidence(row, at)
        reason = REASONS["by_hand"].format(name=by)
        if not await self.store.change(row, stage, action, reason, evidence, at, by):
            raise ProblemError(409, "changed", "the rollout has just changed", remedy="look at it again")
        await self.follow(await self.store.newest())

    async def _hand_over(self) -> None:
        if rows := self._comparer.take_rows():
            try:
                await self.store.add(rows)
            except UNAVAILABLE:
                self._comparer.give_back(rows)
                raise


def _champion(row: Rollout) -> str:
    """URL of the predictor that answers as champion by a rollout."""
    urls = {"promoted": row.challenger_url, "settled": row.base_url}
    return urls.get(row.stage, row.champion_url)
