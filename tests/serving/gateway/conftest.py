"""The real gateway before the real predictor, with the real PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from serving.gateway.log.database import Database
from tests.support.golden import BUNDLE
from tests.support.services.databases import RunningServer, postgres_server, redis_server
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server, start


@pytest.fixture(scope="session")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A predictor with the small recorded bundle."""
    running = start(BUNDLE, tmp_path_factory.mktemp("predictor") / "log", inference_threads=1)
    yield running
    running.process.terminate()
    running.process.wait(60)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A photo that the bundle's model knows."""
    return sorted((BUNDLE / "probes").glob("*.*"))[0].read_bytes()


@pytest.fixture(scope="session")
def gateway(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One gateway on SQLite for every test that does not end it; its limit is out of the way."""
    running = start_gateway(tmp_path_factory.mktemp("gateway"), predictor.url)
    yield running
    running.stop()


@pytest.fixture
def anna(gateway: RunningGateway) -> Iterator[httpx.Client]:
    """A user."""
    with gateway.client("anna") as client:
        yield client


@pytest.fixture
def ben(gateway: RunningGateway) -> Iterator[httpx.Client]:
    """Another user."""
    with gateway.client("ben") as client:
        yield client


@pytest.fixture
def reviewer(gateway: RunningGateway) -> Iterator[httpx.Client]:
    """A reviewer."""
    with gateway.client("rita", "predict feedback review") as client:
        yield client


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One Redis server for every test that does not end it."""
    server = redis_server(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One PostgreSQL server for every test that does not end it."""
    server = postgres_server(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database with all tables, of either kind."""
    if request.param == "sqlite":
        opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}")
    else:
        opened = Database(request.getfixturevalue("postgres").url)
    await opened.migrate()
    yield opened
    await opened.migrate("base")
    await opened.close()
