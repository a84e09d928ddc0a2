"""Feedback on predictions and its review, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import case, delete, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from serving.gateway.auth.principal import Principal
from serving.gateway.feedback.states import Role, Statement, Verdict, asks_again, weigh
from serving.gateway.log.database import Database
from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.log.tables import Decision, Feedback, Prediction
from serving.gateway.metrics import DECISIONS, FEEDBACK
from serving.gateway.problems import ProblemError


class FeedbackService:
    """Takes statements and decisions.

    Args:
        database: Where they are.
        photos: Keeps the photos of what was commented on.
    """

    def __init__(self, database: Database, photos: PhotoStore) -> None:
        self._database, self._photos = database, photos

    async def state(
        self,
        prediction: Prediction,
        caller: Principal,
        verdict: Verdict,
        label: str | None,
        *,
        comment: str = "",
        classes: Sequence[str] = (),
    ) -> Prediction:
        """Records what the caller says of a prediction; a second statement replaces the first.

        Args:
            prediction: One that the caller may see.
            caller: Who says it.
            verdict: ``right``, ``label`` or ``cannot_tell``.
            label: The class it is, with the verdict ``label``; one that the model does not know is allowed.
            comment: In the caller's words.
            classes: The model's classes; a label that differs from one by case alone is taken for it.

        Returns:
            The prediction with its new state.

        Raises:
            ProblemError: 400 without a label; 409 once a reviewer has decided.
        """
        named = _label(prediction, verdict, label, classes)
        role: Role = "user"
        if prediction.user_id != caller.user_id:
            role = "blind" if prediction.blind == "asked" else "reviewer"
        if prediction.review in ("accepted", "rejected") and role != "blind":
            raise ProblemError(409, "decided", "a reviewer has already decided on this prediction")
        FEEDBACK.labels(verdict).inc()
        await self._photos.keep(prediction.photo_sha256)
        async with self._database.session() as session:
            await self._upsert(session, prediction.id, caller.user_id, role, verdict, named, comment)
            row = await session.get_one(Prediction, prediction.id)
            if role == "blind":
                row.blind = "agreed" if named == row.label_now else "disagreed"
                row.review = row.review if row.blind == "agreed" else "pending"
            else:
                await self._weigh(session, row)
        return row

    async def decide(
        self, prediction_id: str, caller: Principal, label: str | None, classes: Sequence[str] = ()
    ) -> Prediction:
        """Accepts a class for a prediction, or rejects the prediction as unusable (``label`` None).

        Raises:
            ProblemError: 400 for an empty label, 403 for one's own prediction, 404 if there is none, 409
                without any statement.
        """
        caller.require("review")
        label = None if label is None else _match(label, classes)
        async with self._database.session() as session:
            row = await session.get(Prediction, prediction_id)
            if row is None:
                raise ProblemError(404, "no_such_prediction", "there is no prediction of this id")
            if row.user_id == caller.user_id and "admin" not in caller.scopes:
                raise ProblemError(403, "own_prediction", "nobody reviews one's own predictions")
            if row.review == "none":
                raise ProblemError(409, "no_feedback", "nobody has said anything about this prediction yet")
            row.review, row.label_now = ("accepted", label) if label else ("rejected", None)
            row.blind = "asked" if label and asks_again(row.photo_sha256) and not row.blind else row.blind
            session.add(
                Decision(
                    prediction_id=row.id,
                    user_id=caller.user_id,
                    user_name=caller.name,
                    decision=row.review,
                    label=label,
                    created=datetime.now(UTC),
                )
            )
        DECISIONS.labels(row.review).inc()
        return row

    async def queue(self, caller: Principal, limit: int) -> Sequence[Prediction]:
        """What waits for a reviewer: disputed ones first, then agreed, then pending; oldest first in each.

        Blind questions are among them, without their earlier answers.
        """
        order = case((Prediction.review == "pending", 1), else_=0)
        # A literal: a database cannot know of a parameter that the partial index has all such rows.
        asked_again = Prediction.blind == literal_column("'asked'")
        waiting = Prediction.review.in_(("pending", "agreed")) | asked_again
        disputed = (
            select(Feedback.prediction_id)
            .where(Feedback.prediction_id == Prediction.id, Feedback.label != Prediction.label_now)
            .exists()
        )
        query = (
            select(Prediction)
            .where(waiting, Prediction.user_id != caller.user_id)
            .order_by(disputed.desc(), order, Prediction.id)
            .limit(limit)
        )
        async with self._database.session() as session:
            return list(await session.scalars(query))

    async def statements(self, prediction_id: str) -> Sequence[Feedback]:
        """Everything that was said of a prediction, oldest first."""
        query = select(Feedback).where(Feedback.prediction_id == prediction_id).order_by(Feedback.created)
        async with self._database.session() as session:
            return list(await session.scalars(query))

    async def forget(self, user_id: str) -> int:
        """Removes a user's statements; what nobody has decided yet is weighed without them.

        Returns:
            How many statements were removed.
        """
        said, touched = Feedback.user_id == user_id, Feedback.prediction_id == Prediction.id
        async with self._database.session() as session:
            query = select(Prediction).where(
                Prediction.review.in_(("pending", "agreed")),
                select(Feedback.id).where(said, touched).exists(),
            )
            undecided = list(await session.scalars(query))
            removed = await session.execute(delete(Feedback).where(said))
            for row in undecided:
                await self._weigh(session, row)
        return int(removed.rowcount)  # type: ignore[attr-defined]

    async def _upsert(
        self,
        session: AsyncSession,
        prediction_id: str,
        user_id: str,
        role: Role,
        verdict: Verdict,
        label: str | None,
        comment: str,
    ) -> None:
        key = {"prediction_id": prediction_id, "user_id": user_id, "role": role}
        said = {"verdict": verdict, "label": label, "comment": comment[:500], "created": datetime.now(UTC)}
        insert = self._database.insert(Feedback).values(**key, **said)
        await session.execute(insert.on_conflict_do_update(index_elements=list(key), set_=said))

    async def _weigh(self, session: AsyncSession, row: Prediction) -> None:
        """Users who sent the same photo speak of the same thing: their statements count together."""
        same = (
            select(Feedback, Prediction.id)
            .join(Prediction)
            .where(
                Prediction.photo_sha256 == row.photo_sha256 if row.photo_sha256 else Prediction.id == row.id
            )
        )
        found = [said for said, _ in await session.execute(same)]
        outcome = weigh([Statement(s.user_id, s.label, s.role) for s in found])  # type: ignore[arg-type]
        row.review, row.label_now = outcome.state, outcome.label


def _label(prediction: Prediction, verdict: Verdict, label: str | None, classes: Sequence[str]) -> str | None:
    if verdict == "right":
        return prediction.label
    if verdict == "cannot_tell":
        return None
    return _match(label or "", classes)


def _match(label: str, classes: Sequence[str]) -> str:
    """The class that a label names, whatever its case; a new one stays as it is."""
    label = label.strip()[:255]
    if not label:
        raise ProblemError(400, "no_label", "the verdict `label` needs a label", remedy="name the class")
    return next((name for name in classes if name.casefold() == label.casefold()), label)
