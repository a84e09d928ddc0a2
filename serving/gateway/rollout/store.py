"""Rollouts in the database: the state that all replicas share, and the evidence it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from phytoflow.protocol.prediction_id import new_id
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sequential import CRASH, DECLINE
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage, first_stage
from serving.gateway.log.database import Database
from serving.gateway.log.tables import Comparison, Decision, Feedback, Prediction, Rollout, RolloutEvent

_LOCK = 0x726F6C6C  # of PostgreSQL: any number that nothing else here uses


def stage_of(row: Rollout) -> Stage:
    """The stage of a rollout."""
    return Stage(row.stage, row.percent)  # type: ignore[arg-type]


def settings_of(row: Rollout) -> RolloutSettings:
    """The thresholds with which a rollout began."""
    return RolloutSettings.model_validate(row.settings)


class RolloutStore:
    """Reads and changes rollouts.

    Args:
        database: Where they are.
        base_url: The champion that the settings name; rollouts of another one are history.
    """

    def __init__(self, database: Database, base_url: str) -> None:
        self._database, self._base_url = database, base_url.rstrip("/")

    async def newest(self) -> Rollout | None:
        """The rollout that counts; None if there was none."""
        query = select(Rollout).where(Rollout.base_url == self._base_url).order_by(Rollout.id.desc()).limit(1)
        async with self._database.session() as session:
            return await session.scalar(query)

    async def find(self, rollout_id: str) -> Rollout | None:
        """A rollout by its id."""
        async with self._database.session() as session:
            return await session.get(Rollout, rollout_id)

    async def start(self, champion: str, challenger: str, settings: RolloutSettings, by: str) -> Rollout:
        """Begins a rollout."""
        now, stage = datetime.now(UTC), first_stage()
        row = Rollout(
            id=new_id(),
            created=now,
            base_url=self._base_url,
            champion_url=champion,
            challenger_url=challenger,
            stage=stage.name,
            percent=stage.percent,
            stage_since=now,
            stage_after=0,
            revision=0,
            settings=settings.model_dump(mode="json"),
            reason="",
        )
        async with self._database.session() as session:
            session.add(row)
            await session.flush()
            session.add(_event(row, "start", now, "", by, Evidence()))
        return row

    async def change(
        self,
        row: Rollout,
        stage: Stage,
        action: str,
        reason: str,
        evidence: Evidence,
        at: datetime,
        by: str = "",
    ) -> bool:
        """Goes to another stage; False if another replica, or a person, was faster."""
        condition = (Rollout.id == row.id) & (Rollout.revision == row.revision)
        changed = (
            update(Rollout)
            .where(condition)
            .values(
                revision=row.revision + 1,
                stage=stage.name,
                percent=stage.percent,
                stage_since=at,
                stage_after=evidence.last,
                reason=reason[:500],
            )
        )
        async with self._database.session() as session:
            if (await session.execute(changed)).rowcount != 1:  # type: ignore[attr-defined]
                return False
            session.add(_event(row, action, at, reason, by, evidence))
        return True

    async def add(self, rows: list[dict[str, Any]]) -> None:
        """Stores comparisons."""
        async with self._database.connection() as connection:
            await self._alone(connection)
            await connection.execute(insert(Comparison), rows)

    async def events(self, rollout_id: str) -> Sequence[RolloutEvent]:
        """The decisions of a rollout, oldest first."""
        query = select(RolloutEvent).where(RolloutEvent.rollout_id == rollout_id).order_by(RolloutEvent.id)
        async with self._database.session() as session:
            return list(await session.scalars(query))

    async def evidence(
        self, row: Rollout, at: datetime, event: RolloutEvent | None = None, after: int = 0
    ) -> Evidence:
        """What was counted.

        Args:
            row: The rollout.
            at: Labels given later do not count.
            event: A decision of the past: comparisons that it did not see do not count.
            after: With an event, the last comparison before its stage.
        """
        after = after if event else row.stage_after
        async with self._database.connection() as connection:
            await self._alone(connection)
            last = event.evidence["last"] if event else await _last(connection, row.id)
            counts = (await connection.execute(_counts(row.id, last, after))).one()
            labels = (await connection.execute(_labels(row.id, last, at))).all()
            pairs, asked = int(counts[0] or 0), int(counts[0] or 0) + int(counts[1] or 0)
            failures = await connection.execute(_recent_failures(row.id, last, CRASH.newest(asked)))
            recent = (await connection.execute(_recent_pairs(row.id, last, DECLINE.newest(pairs)))).one()
        challenger = sum(label == theirs for label, _, theirs in labels)
        champion = sum(label == ours for label, ours, _ in labels)
        numbers = [value or 0 for value in counts]
        return Evidence(
            pairs=pairs,
            failures=int(numbers[1]),
            slow=int(numbers[2]),
            disagreements=int(numbers[3]),
            shift=float(numbers[4]),
            stage_pairs=int(numbers[5]),
            challenger_right=challenger,
            champion_right=champion,
            last=last,
            recent_failures=int(failures.scalar() or 0),
            recent_slow=int(recent[0] or 0),
            recent_disagreements=int(recent[1] or 0),
            recent_shift=float(recent[2] or 0),
        )

    async def _alone(self, connection: AsyncConnection) -> None:
        """Lets no other transaction add or count comparisons: ids are then committed in their order."""
        if not self._database.is_sqlite:  # SQLite has one writer anyway
            await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    async def questions(
        self, row: Rollout, reviewer: str, limit: int
    ) -> Sequence[tuple[Prediction, str, str]]:
        """Predictions on which the models disagree and that no reviewer has labelled, oldest first.

        Returns:
            Prediction, the champion's class and the challenger's.
        """
        labelled = select(Feedback.prediction_id).where(
            Feedback.prediction_id == Comparison.prediction_id, Feedback.role == "reviewer"
        )
        decided = select(Decision.prediction_id).where(Decision.prediction_id == Comparison.prediction_id)
        query = (
            select(Prediction, Comparison.champion_label, Comparison.challenger_label)
            .join(Comparison, Comparison.prediction_id == Prediction.id)
            .where(_disagrees(row.id), Prediction.user_id != reviewer)
            .where(~labelled.exists(), ~decided.exists())
            .order_by(Comparison.id)
            .limit(limit)
        )
        async with self._database.session() as session:
            return [(found, ours, theirs) for found, ours, theirs in await session.execute(query)]


async def _last(connection: AsyncConnection, rollout_id: str) -> int:
    query = select(func.max(Comparison.id)).where(Comparison.rollout_id == rollout_id)
    return int((await connection.execute(query)).scalar() or 0)


def _event(row: Rollout, action: str, at: datetime, reason: str, by: str, evidence: Evidence) -> RolloutEvent:
    return RolloutEvent(
        rollout_id=row.id,
        created=at,
        action=action,
        stage=row.stage,
        percent=row.percent,
        user_name=by,
        reason=reason[:500],
        evidence=evidence.to_dict(),
    )


def _disagrees(rollout_id: str) -> Any:
    differ = Comparison.champion_label != Comparison.challenger_label
    return (Comparison.rollout_id == rollout_id) & Comparison.failed.is_(False) & differ


def _counts(rollout_id: str, last: int, after: int) -> Select[Any]:
    """Pairs, failures, slow ones, disagreements, summed shift, and pairs of the stage."""
    answered = Comparison.failed.is_(False)
    differ = Comparison.champion_label != Comparison.challenger_label
    return select(
        func.sum(case((answered, 1), else_=0)),
        func.sum(case((answered, 0), else_=1)),
        func.sum(case((answered & Comparison.slow, 1), else_=0)),
        func.sum(case((answered & differ, 1), else_=0)),
        func.sum(case((answered, Comparison.shift), else_=0.0)),
        func.sum(case((answered & (Comparison.id > after), 1), else_=0)),
    ).where(Comparison.rollout_id == rollout_id, Comparison.id <= last)


def _recent_failures(rollout_id: str, last: int, count: int) -> Select[Any]:
    """Failures among that many comparisons before and with the last one."""
    rows = select(Comparison.failed).where(Comparison.rollout_id == rollout_id, Comparison.id <= last)
    recent = rows.order_by(Comparison.id.desc()).limit(count).subquery()
    return select(func.sum(case((recent.c.failed, 1), else_=0)))


def _recent_pairs(rollout_id: str, last: int, count: int) -> Select[Any]:
    """Slow ones, disagreements and summed shift of that many pairs before and with the last comparison."""
    differ = Comparison.champion_label != Comparison.challenger_label
    rows = select(Comparison.slow, differ.label("differ"), Comparison.shift)
    rows = rows.where(
        Comparison.rollout_id == rollout_id, Comparison.id <= last, Comparison.failed.is_(False)
    )
    recent = rows.order_by(Comparison.id.desc()).limit(count).subquery()
    slow, other = [func.sum(case((column, 1), else_=0)) for column in (recent.c.slow, recent.c.differ)]
    return select(slow, other, func.sum(recent.c.shift))


def _labels(rollout_id: str, last: int, at: datetime) -> Select[Any, str, str]:
    """Reviewers' labels of disagreements: label, the champion's class, the challenger's.

    A reviewer's decision counts before statements; of several the last one does.
    """
    decided = (
        select(Decision.label)
        .where(Decision.prediction_id == Comparison.prediction_id, Decision.created <= at)
        .order_by(Decision.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    stated = (
        select(Feedback.label)
        .where(Feedback.prediction_id == Comparison.prediction_id, Feedback.created <= at)
        .where(Feedback.role == "reviewer", Feedback.label.is_not(None))
        .order_by(Feedback.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    label = func.coalesce(decided, stated)
    query = select(label, Comparison.champion_label, Comparison.challenger_label)
    return query.where(_disagrees(rollout_id), Comparison.id <= last, label.is_not(None))
