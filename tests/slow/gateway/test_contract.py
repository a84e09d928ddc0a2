"""Schemathesis at length: see tests/serving/gateway/api/test_openapi.py for the short run."""

from __future__ import annotations

import asyncio

import pytest

from serving.gateway.log.database import Database
from tests.serving.gateway.api.test_openapi import check_api
from tests.support.services.databases import RunningServer
from tests.support.services.gateway import start_gateway
from tests.support.services.servers import Server

EXAMPLES = 60  # of each operation


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_request_breaks_the_contract(
    predictor: Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str
) -> None:
    """On both databases: PostgreSQL refuses texts that SQLite stores."""
    settings: dict[str, object] = {}
    if database == "postgresql":
        server: RunningServer = request.getfixturevalue("postgres")
        settings["database__url"] = server.url
        asyncio.run(_create_tables(server.url))
    gateway = start_gateway(tmp_path_factory.mktemp(database), predictor.url, **settings)
    done = check_api(gateway.url, gateway.token("schema", "predict feedback review admin log"), EXAMPLES)
    print(done.stdout[-1500:])
    gateway.stop()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr


async def _create_tables(url: str) -> None:
    """On PostgreSQL the operator's migration does it, not the gateway."""
    database = Database(url)
    await database.migrate()
    await database.close()
