"""What the monitor costs for each photo, and how long a long log takes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.monitoring.outputs import HeldOut
from phytoflow.bundle.bundle import Bundle
from phytoflow.monitoring.martingale import play
from phytoflow.monitoring.monitor import Monitor
from phytoflow.monitoring.observations import observe
from phytoflow.monitoring.reference import load_reference
from phytoflow.ood.feature_statistics import FeatureStatistics

_BATCH = 100  # photos of one round of the gateway's monitor
_ROUNDS = 20
_RATE = 20.0  # photos/s at which the share of a core is told
_READ_BATCH = 2000


def table(bundle: Path, held_out: HeldOut, work: Path, rows: int) -> Iterator[str]:
    """Milliseconds for each photo, and seconds for a log of ``rows`` predictions: a Markdown table."""
    reference, statistics = load_reference(Bundle.load(bundle))
    assert statistics is not None
    monitor = Monitor(reference)
    features = np.random.default_rng(0).random((_BATCH, len(statistics.mean))).astype(np.float16)
    photos = held_out.clean.observations.select(np.arange(_BATCH) % len(held_out.clean))
    state = monitor.start()
    names = [f"{i:032d}" for i in range(_BATCH)]
    started = time.process_time()
    for _ in range(_ROUNDS):
        seen = observe(photos.label, photos.confidence, photos.novelty, features, statistics)
        state, _ = monitor.advance(state, seen, names)
        state = state.load(state.dump())
    each = (time.process_time() - started) / _ROUNDS / _BATCH
    started = time.process_time()
    monitor.assess(state)
    assessed = time.process_time() - started
    yield "| What | Cost |"
    yield "|---|---|"
    yield "| Request's path | nothing: the monitor reads the log |"
    yield f"| Monitor, CPU time for each photo in batches of {_BATCH} | {1000 * each:.3f} ms |"
    yield f"| Assessment with an alarm, once a minute | {1000 * assessed:.0f} ms |"
    yield f"| Both at {_RATE:.0f} photos/s | {100 * (_RATE * each + assessed / 60):.2f}% of a core |"
    if rows:
        seconds = _reread(monitor, statistics, work, rows)
        yield f"| {rows:,} logged predictions with features re-read from SQLite | {seconds:.0f} s |"


def _reread(monitor: Monitor, statistics: FeatureStatistics, work: Path, rows: int) -> float:
    """Seconds to read and play a SQLite log of as many predictions with features."""
    size = len(statistics.mean)
    file = work / "log.db"
    file.unlink(missing_ok=True)
    content = [row.tobytes() for row in np.random.default_rng(0).random((_READ_BATCH, size)).astype("<f2")]
    database = sqlite3.connect(file)
    database.execute("create table p (id text primary key, label text, confidence real, novelty real)")
    database.execute("create table f (prediction_id text primary key, features blob)")
    for start in range(0, rows, _READ_BATCH):
        ids = [f"{i:032d}" for i in range(start, min(start + _READ_BATCH, rows))]
        database.executemany("insert into p values (?, ?, 0.9, 0.1)", [(i, "a") for i in ids])
        database.executemany("insert into f values (?, ?)", zip(ids, content, strict=False))
    database.commit()
    started = time.perf_counter()
    wealth = monitor.start().wealth
    cursor = database.execute("select * from p left join f on f.prediction_id = p.id order by p.id")
    while batch := cursor.fetchmany(_READ_BATCH):
        features = np.frombuffer(b"".join(row[5] for row in batch), "<f2").reshape(len(batch), size)
        label = np.zeros(len(batch), np.int64)
        confidence, novelty = (np.array([row[i] for row in batch], np.float32) for i in (2, 3))
        seen = observe(label, confidence, novelty, features, statistics)
        wealth, _ = play(monitor.bets, wealth, seen)
    seconds = time.perf_counter() - started
    database.close()
    file.unlink()
    return seconds
