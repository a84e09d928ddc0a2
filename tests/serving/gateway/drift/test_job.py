"""The drift job on both kinds of database: each photo once, in order, over replicas and restarts."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.inference.classifier import Classifier
from phytoflow.protocol.prediction_id import new_id
from serving.gateway.drift import job as job_module
from serving.gateway.drift import tables
from serving.gateway.drift.gauges import publish
from serving.gateway.drift.job import DriftJob
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.record import PredictionRecord
from serving.gateway.log.writer import LogWriter
from serving.gateway.metrics import REGISTRY
from serving.gateway.settings import GatewaySettings, MonitoringSettings, UpstreamSettings
from tests.serving.gateway.log.test_writer import RECORD
from tests.support.drift import bundle_with_reference, leaf_photos
from tests.support.golden import BUNDLE


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_with_reference(tmp_path_factory.mktemp("watched") / "bundle")


@pytest.fixture(scope="session")
def records(watched: Path) -> list[PredictionRecord]:
    """Answers for photos like those of the reference, then for dark ones."""
    contents = [*leaf_photos(500, 40), *leaf_photos(600, 40, brightness=0.35)]
    classifier = Classifier.load(watched, "onnx")
    preprocessing = classifier.bundle.manifest.preprocessing
    outputs = classifier.outputs(np.stack([preprocessing(content) for content in contents]))
    answers = classifier.to_predictions(outputs)
    assert answers.novelty is not None and outputs.features is not None
    return [
        replace(
            RECORD,
            id=new_id(1000 + number),
            created=datetime.now(UTC),
            label=label,
            confidence=float(answers.probabilities[number].max()),
            novelty=float(answers.novelty[number]),
            known=bool(answers.novelty[number] <= 1),
            model_version=classifier.bundle.manifest.version,
            features=outputs.features[number].astype(np.float16),
        )
        for number, label in enumerate(answers.labels())
    ]


def settings(bundle: Path | str) -> GatewaySettings:
    return GatewaySettings(
        upstream=UpstreamSettings(champion_bundle=str(bundle)),
        monitoring=MonitoringSettings(every_seconds=0.05),
    )


async def log(database: Database, folder: Path, records: list[PredictionRecord]) -> None:
    writer = LogWriter(database, Journal(folder / "journal", 10**7), 0.05, monitored=True)
    for record in records:
        assert writer.add(record)
    assert await writer.flush()


async def row_of(database: Database) -> tables.DriftRow:
    (row,) = await tables.read_states(database)
    return row


async def test_dark_photos_raise_an_alarm_that_is_noted_and_shown(
    database: Database, watched: Path, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    job = DriftJob(database, settings(watched))
    await log(database, tmp_path, records[:40])
    await job.advance()
    row = await row_of(database)
    assert row.assessment is not None
    assert (row.photos, row.assessment.grade) == (40, "none")
    await log(database, tmp_path, records[40:])
    await job.advance()
    row = await row_of(database)
    assert row.assessment is not None
    assert row.photos == 80
    assert row.assessment.alarm_at > 40
    (event,) = await tables.read_events(database)
    assert (event["kind"], event["grade"]) == ("alarm", row.assessment.grade)
    assert set(row.assessment.strangest) <= {record.id for record in records}
    ((_, wealth, _),) = await tables.read_hours(database, row.version, 1)
    assert wealth >= 200
    publish([row])
    assert REGISTRY.get_sample_value("gateway_drift_photos") == 80
    assert REGISTRY.get_sample_value("gateway_drift_grade", {"grade": row.assessment.grade}) == 1
    assert REGISTRY.get_sample_value("gateway_drift_grade", {"grade": "none"}) == 0


async def test_photos_just_after_an_assessment_are_assessed_although_no_others_follow(
    database: Database,
    watched: Path,
    tmp_path: Path,
    records: list[PredictionRecord],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = DriftJob(database, settings(watched))
    for start, end in ((0, 40), (40, 60), (60, 80)):  # the second part raises the alarm and is assessed
        await log(database, tmp_path, records[start:end])
        await job.advance()
    early = await row_of(database)
    await job.assess_late()
    assert early.assessment is not None and (await row_of(database)).assessment == early.assessment
    monkeypatch.setattr(job_module, "_ASSESS_EVERY", timedelta(0))  # a minute later
    await job.assess_late()
    late = await row_of(database)
    assert late.assessment is not None and late.photos == early.photos == 80
    assert late.assessment.accuracy.photos >= early.assessment.accuracy.photos + 20
    await job.assess_late()
    assert (await row_of(database)).assessed == late.assessed  # there is nothing new


async def test_two_replicas_and_a_restart_give_the_state_of_one(
    database: Database, watched: Path, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    first, second = (DriftJob(database, settings(watched)) for _ in range(2))
    for start in range(0, 80, 10):  # each job may take any part
        await log(database, tmp_path, records[start : start + 10])
        done = await asyncio.gather(first.advance(), second.advance(), return_exceptions=True)
        assert not all(isinstance(result, BaseException) for result in done)
        if start == 40:
            first = DriftJob(database, settings(watched))
    await first.advance()
    row = await row_of(database)
    assert first._watch is not None
    monitor = first._watch.monitor
    seen, names = first._watch.observe(
        [tables.LoggedPrediction(r.id, r.label, r.confidence, r.novelty, _packed(r)) for r in records]
    )
    expected, _ = monitor.advance(monitor.start(), seen, names)
    assert row.state is not None
    assert row.state.names == expected.names
    np.testing.assert_allclose(row.state.wealth.playing, expected.wealth.playing, rtol=1e-5)


def _packed(record: PredictionRecord) -> bytes:
    assert record.features is not None
    return record.features.astype("<f2").tobytes()


async def test_photos_of_classes_that_the_bundle_lacks_do_not_end_the_job(
    database: Database, watched: Path, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    job = DriftJob(database, settings(watched))
    await log(database, tmp_path, [replace(records[0], label="triffid")])
    await job.advance()
    await log(database, tmp_path, records[1:20])
    await job.advance()
    assert (await row_of(database)).photos == 19


async def test_photos_that_arrive_late_are_taken_too(
    database: Database, watched: Path, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    job = DriftJob(database, settings(watched))
    await log(database, tmp_path, records[5:20])
    await job.advance()
    await log(database, tmp_path, [*records[:20]])  # five of a replica whose database was away, fifteen again
    await job.advance()
    row = await row_of(database)
    assert row.state is not None
    assert row.photos == 20
    assert row.state.names == tuple(record.id for record in [*records[5:20], *records[:5]])


async def test_challengers_and_other_versions_are_not_compared(
    database: Database, watched: Path, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    others = [replace(records[0], role="challenger"), replace(records[1], model_version="another")]
    await log(database, tmp_path, [*others, *records[2:5]])
    job = DriftJob(database, settings(watched))
    while await job.advance():
        pass
    assert (await row_of(database)).photos == 3
    async with database.connection() as connection:
        assert await tables.waiting(connection, 10) == []


async def test_without_a_monitor_nothing_is_queued(
    database: Database, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    writer = LogWriter(database, Journal(tmp_path / "journal", 10**7), 0.05)
    writer.add(records[0])
    await writer.flush()
    async with database.connection() as connection:
        assert await tables.waiting(connection, 10) == []


async def test_without_a_reference_the_queue_does_not_grow(
    database: Database, tmp_path: Path, records: list[PredictionRecord]
) -> None:
    await log(database, tmp_path, records[:5])
    running = asyncio.create_task(DriftJob(database, settings(BUNDLE)).run())
    left: list[object] = [None]
    async with asyncio.timeout(30):
        while left:
            await asyncio.sleep(0.05)
            async with database.connection() as connection:
                left = list(await tables.waiting(connection, 10))
    running.cancel()


async def test_a_fault_does_not_end_the_job(
    database: Database, watched: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = asyncio.Queue[int]()

    async def fail(_: DriftJob) -> bool:
        looks.put_nowait(1)
        raise KeyError("label")

    monkeypatch.setattr(DriftJob, "advance", fail)
    running = asyncio.create_task(DriftJob(database, settings(watched)).run())
    async with asyncio.timeout(30):
        for _ in range(2):
            await looks.get()
    running.cancel()
    assert "drift is not watched" in caplog.text and "KeyError: 'label'" in caplog.text


def last_success() -> float:
    value = REGISTRY.get_sample_value("gateway_drift_last_success_timestamp_seconds")
    assert value is not None
    return value


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_rounds_that_fail_are_no_success_and_those_without_photos_are(
    database: Database, watched: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = time.time()
    running = asyncio.create_task(DriftJob(database, settings(watched)).run())
    await until(lambda: last_success() > before)  # it has begun
    began = last_success()
    await until(lambda: last_success() > began)
    await rename_table(database, "drift_states", "elsewhere")
    await until(lambda: "drift is not watched" in caplog.text)
    earlier = last_success()
    caplog.clear()
    await until(lambda: caplog.text.count("drift is not watched") >= 2)
    assert last_success() == earlier
    await rename_table(database, "elsewhere", "drift_states")
    await until(lambda: last_success() > earlier)
    running.cancel()


async def rename_table(database: Database, old: str, new: str) -> None:
    async with database.connection() as connection:
        await connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


async def test_only_a_bundle_without_a_reference_is_no_fault(
    database: Database, watched: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a damaged one somebody must hear: the metric stays at the beginning of the job."""
    damaged = shutil.copytree(watched, tmp_path / "damaged")
    (damaged / "drift_reference.npz").write_bytes(b"no reference")
    before = time.time()
    for bundle, fault in ((damaged, True), (BUNDLE, False)):
        caplog.clear()
        running = asyncio.create_task(DriftJob(database, settings(bundle)).run())
        await until(lambda: "drift is not watched" in caplog.text)
        running.cancel()
        assert (last_success() >= before) == fault, caplog.text
    assert last_success() == 0


async def test_an_older_bundle_is_named(database: Database) -> None:
    with pytest.raises(BundleError, match="has no drift reference"):
        await DriftJob(database, settings(BUNDLE)).advance()


def test_the_version_is_that_of_the_log(watched: Path, records: list[PredictionRecord]) -> None:
    assert records[0].model_version == Bundle.load(watched).manifest.version
