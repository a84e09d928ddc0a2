"""Rollouts in both databases: one winner of two that decide, and evidence that can be counted again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage
from serving.gateway.log.database import Database
from serving.gateway.log.tables import Feedback, Prediction, Rollout
from serving.gateway.rollout.store import RolloutStore, settings_of, stage_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def comparison(row: Rollout, number: int, **columns: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "rollout_id": row.id,
        "prediction_id": f"{number:032x}",
        "created": NOW,
        "answered_by": "champion",
        "champion_label": "rust",
        "challenger_label": "rust",
        "shift": 0.25,
        "champion_ms": 5.0,
        "challenger_ms": 6.0,
        "slow": False,
        "failed": False,
    }
    return defaults | columns


async def begin(database: Database) -> tuple[RolloutStore, Rollout]:
    store = RolloutStore(database, "http://champion/")
    settings = RolloutSettings(min_pairs=3)
    row = await store.start("http://champion", "http://challenger", settings, "ada")
    assert stage_of(row) == Stage("shadow", 0) and settings_of(row) == settings
    return store, row


async def test_only_the_first_of_two_that_decide_succeeds(database: Database) -> None:
    store, row = await begin(database)
    for expected in (True, False):
        changed = await store.change(row, Stage("canary", 1), "advance", "enough", Evidence(last=7), NOW)
        assert changed is expected
    newest = await store.newest()
    assert newest and stage_of(newest) == Stage("canary", 1) and newest.stage_after == 7
    assert [event.action for event in await store.events(row.id)] == ["start", "advance"]
    assert await RolloutStore(database, "http://another").newest() is None


async def test_evidence_is_counted_and_counted_again(database: Database) -> None:
    store, row = await begin(database)
    rows = [comparison(row, 1), comparison(row, 2, slow=True), comparison(row, 3, challenger_label="scab")]
    await store.add([*rows, comparison(row, 4, challenger_label="", failed=True)])
    evidence = await store.evidence(row, NOW)
    assert evidence == Evidence(
        pairs=3,
        failures=1,
        slow=1,
        disagreements=1,
        shift=0.75,
        stage_pairs=3,
        last=evidence.last,
        recent_failures=1,
        recent_slow=1,
        recent_disagreements=1,
        recent_shift=0.75,
    )
    await store.change(row, Stage("canary", 1), "advance", "enough", evidence, NOW)
    await store.add([comparison(row, 5)])
    newest = await store.newest()
    assert newest
    later = await store.evidence(newest, NOW)
    assert (later.pairs, later.stage_pairs) == (4, 1)
    event = (await store.events(row.id))[-1]
    assert await store.evidence(newest, event.created, event, 0) == evidence


async def test_failures_among_the_newest_photos(database: Database) -> None:
    store, row = await begin(database)
    outcomes = [True] * 5 + [False] * 40 + [True, False, True]  # the newest 28 of 48
    await store.add([comparison(row, number, failed=failed) for number, failed in enumerate(outcomes)])
    evidence = await store.evidence(row, NOW)
    assert (evidence.failures, evidence.recent_failures) == (7, 2)


async def test_slow_and_other_answers_among_the_newest_pairs(database: Database) -> None:
    """Of 230 pairs the newest 230 count, of 260 the newest 210; photos that failed do not count."""
    store, row = await begin(database)
    slow = {"slow": True, "challenger_label": "scab", "shift": 0.5}
    await store.add([comparison(row, number, **slow) for number in range(230)])
    evidence = await store.evidence(row, NOW)
    assert (evidence.recent_slow, evidence.recent_disagreements, evidence.recent_shift) == (230, 230, 115.0)
    await store.add([comparison(row, 230 + number, failed=number % 2 == 0) for number in range(60)])
    evidence = await store.evidence(row, NOW)
    assert (evidence.recent_slow, evidence.recent_disagreements, evidence.recent_shift) == (180, 180, 97.5)


async def test_reviewers_labels_of_disagreements_count_from_their_time_on(database: Database) -> None:
    store, row = await begin(database)
    await store.add([comparison(row, number, challenger_label="scab") for number in (1, 2, 3)])
    async with database.session() as session:
        session.add_all(prediction(number) for number in (1, 2, 3))
    assert [found.id for found, _, _ in await store.questions(row, "rita", 9)] == [
        f"{n:032x}" for n in (1, 2, 3)
    ]
    said = [(1, "reviewer", "rust"), (2, "reviewer", "scab"), (3, "user", "scab")]
    async with database.session() as session:
        session.add_all(statement(number, role, label) for number, role, label in said)
    assert (await store.evidence(row, NOW)).champion_right == 0
    evidence = await store.evidence(row, NOW + timedelta(hours=1))
    assert (evidence.champion_right, evidence.challenger_right) == (1, 1)
    assert [found.id for found, _, _ in await store.questions(row, "rita", 9)] == [f"{3:032x}"]
    assert await store.questions(row, "anna", 9) == []  # her own photos


def prediction(number: int) -> Prediction:
    return Prediction(
        id=f"{number:032x}",
        created=NOW,
        user_id="anna",
        source="rest",
        label="rust",
        confidence=0.9,
        latency_ms=5.0,
        model="leaf",
        model_version="1",
    )


def statement(number: int, role: str, label: str) -> Feedback:
    return Feedback(
        prediction_id=f"{number:032x}",
        user_id="rita",
        verdict="label",
        label=label,
        role=role,
        created=NOW + timedelta(minutes=5),
    )
