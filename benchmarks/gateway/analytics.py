"""`python -m benchmarks.gateway.analytics [--url URL] [--rows N]`: queries over a long prediction log.

Fills an empty database with a year of predictions, then times what the pages and the API ask, and a migration
back to the first revision and forth again. Without a URL the database is SQLite in a temporary folder;
`--postgres` starts a PostgreSQL server for the time.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from sqlalchemy import func, select

from phytoflow.protocol.prediction_id import new_id
from phytoflow.stack import stores
from phytoflow.stack.layout import Layout
from phytoflow.stack.once import running
from phytoflow.stack.plan import Plan
from phytoflow.system.ports import free_port
from serving.gateway.auth.principal import Principal
from serving.gateway.feedback.service import FeedbackService
from serving.gateway.housekeeping import Housekeeper
from serving.gateway.log import analytics, queries, statistics
from serving.gateway.log.database import Database
from serving.gateway.log.tables import Prediction

_BATCH = 5_000
_FIRST = "0001"
_DAYS, _CLASSES, _USERS = 365, 12, 200
_REVIEWER = Principal("f" * 32, "reviewer", frozenset({"review"}), "token")


def main(
    url: Annotated[str, typer.Option(help="SQLAlchemy URL of an empty database.")] = "",
    postgres: Annotated[bool, typer.Option(help="Start a PostgreSQL server; needs Debian's.")] = False,
    rows: Annotated[int, typer.Option(help="Predictions.")] = 1_000_000,
    repeats: Annotated[int, typer.Option(help="Measurements of each query.")] = 7,
) -> None:
    """Prints how long each query takes."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        if postgres:
            url = stack.enter_context(_postgres(folder))
        asyncio.run(_run(Database(url or f"sqlite+aiosqlite:///{folder}/gateway.db"), rows, repeats))


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """The server of `phytoflow stack`, with its settings."""
    folder.chmod(0o711)  # PostgreSQL runs as a user of its own
    layout = Layout(folder / "stack")
    plan = Plan("", "127.0.0.1", 0, {"postgresql": free_port()})
    service = stores.postgresql(layout, plan)
    if service is None or service.after_healthy is None:
        raise typer.BadParameter("there is no PostgreSQL server (Debian: apt-get install postgresql)")
    with running(service, layout):
        service.after_healthy()
        address = f"127.0.0.1:{plan.ports['postgresql']}"
        yield f"postgresql+asyncpg://gateway:{layout.secret('postgresql')}@{address}/gateway"


async def _run(database: Database, rows: int, repeats: int) -> None:
    await database.migrate()
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await _fill(database, rows, until)
    await Housekeeper.compact(database, until)
    typer.echo(f"{database.url.get_backend_name()}, {rows} predictions in {_DAYS} days")
    for name, query in _questions(database, until).items():
        await query()  # the first one compiles the statement
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            await query()
            times.append((time.perf_counter() - start) * 1000)
        typer.echo(f"{name:44} median {median(times):7.1f} ms, slowest {max(times):7.1f} ms")
    await _migrate(database)
    await database.close()


async def _migrate(database: Database) -> None:
    """Back to the first revision and forth; every prediction must still be there."""
    times, before = [], await _count(database)
    for revision in (_FIRST, "head"):
        start = time.perf_counter()
        await database.migrate(revision)
        times.append(time.perf_counter() - start)
    back, forth = times
    lost = before - await _count(database)
    typer.echo(f"migration back to {_FIRST} {back:.2f} s, forth {forth:.2f} s, {lost} predictions lost")


async def _count(database: Database) -> int:
    async with database.connection() as connection:
        return int((await connection.execute(select(func.count()).select_from(Prediction))).scalar_one())


def _questions(database: Database, until: datetime) -> dict[str, Callable[[], Awaitable[Any]]]:
    def last(days: int) -> analytics.Range:
        return analytics.Range(until - timedelta(days=days), until)

    user = f"{7:032x}"
    mine, disease = queries.Filters(user_id=user), queries.Filters(user_id=user, label="class 3")
    feedback = FeedbackService(database, None)  # type: ignore[arg-type]
    return {
        "classes by day, a year": lambda: analytics.counts_by_class(database, last(365), "day"),
        "classes by day, a month": lambda: analytics.counts_by_class(database, last(30), "day"),
        "classes by hour, a month": lambda: analytics.counts_by_class(database, last(30), "hour"),
        "latency by day, a year": lambda: analytics.latency_percentiles(database, last(365), "day"),
        "latency by hour, a month": lambda: analytics.latency_percentiles(database, last(30), "hour"),
        "versions, a year": lambda: analytics.versions(database, last(365)),
        "users, a year": lambda: analytics.users(database, last(365).since, until),
        "history of a user, first page": lambda: queries.list_predictions(database, mine, 25),
        "history of a user, one class": lambda: queries.list_predictions(database, disease, 25),
        "classes that a user was given": lambda: queries.labels_of(database, user),
        "review queue": lambda: feedback.queue(_REVIEWER, 100),
        "accepted photos, first page": lambda: queries.accepted_after(database, "", 500),
    }


async def _fill(database: Database, rows: int, until: datetime) -> None:
    """A season's rhythm: more photos in summer and by day; versions follow one another."""
    rng = np.random.default_rng(0)
    ages = np.sort(rng.uniform(0, _DAYS * 86400, rows))[::-1]
    for start in range(0, rows, _BATCH):
        batch = [_row(rng, until - timedelta(seconds=float(age))) for age in ages[start : start + _BATCH]]
        async with database.connection() as connection:
            await connection.execute(database.insert(Prediction), batch)
            await statistics.count(database, connection, batch)


def _row(rng: np.random.Generator, created: datetime) -> dict[str, Any]:
    label, odd, said = int(rng.zipf(1.5)) % _CLASSES, rng.random() < 0.05, rng.random() < 0.02
    review = str(rng.choice(["pending", "agreed", "accepted"], p=[0.1, 0.1, 0.8])) if said else "none"
    return {
        "id": new_id(int(created.timestamp() * 1000)),
        "created": created,
        "user_id": f"{int(rng.zipf(1.3)) % _USERS:032x}",
        "user_name": "user",
        "source": "rest",
        "file_name": "leaf.jpg",
        "photo_sha256": rng.bytes(32).hex(),
        "photo_stored": said,
        "label": f"class {label}",
        "confidence": float(rng.uniform(0.3, 1)),
        "known": not odd,
        "novelty": 0.5,
        "top": [[f"class {label}", 0.5]],
        "latency_ms": float(rng.lognormal(3, 0.7)),
        "model": "leaf",
        "model_version": f"v{1 + (created.month - 1) // 3}",
        "role": "champion",
        "request_id": "",
        "label_now": f"class {label}" if said else None,
        "review": review,
        "blind": "",
    }


if __name__ == "__main__":
    typer.run(main)
