"""A new service for each file: predictor, gateway, worker, watcher, databases, Prometheus, Alertmanager."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from phytoflow.alerts.alertmanager import render_config
from phytoflow.alerts.catalogue import GROUPS
from phytoflow.alerts.prometheus import render_rule_file
from phytoflow.alerts.rule import Alert, Group
from phytoflow.system.ports import free_port
from serving.gateway.log.database import Database
from tests.slow.alerts.processes import start_predictor, start_watch, start_worker
from tests.slow.alerts.service import LONGEST_SECONDS, Service
from tests.support.drift import bundle_with_reference
from tests.support.services.databases import RunningServer, postgres_server, redis_server
from tests.support.services.gateway import start_gateway
from tests.support.services.prometheus import alertmanager_server, prometheus_server
from tests.support.services.webhook_receiver import WebhookReceiver

_SHORTENED = {"1m", "2m", "5m", "15m"}  # holds with which an alert could not arrive within a minute
_HOLD = "10s"
_SCRAPE_SECONDS = 3  # a busy machine may answer a scrape late: a missing one would start a hold anew


@pytest.fixture(scope="module")
def predictor_options() -> dict[str, object]:
    """Options of the predictor; a file may have others."""
    return {}


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, predictor_options: dict[str, object]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    webhook = WebhookReceiver()
    alertmanager = alertmanager_server(folder, render_config(webhook.url))
    postgres, redis = postgres_server(folder), redis_server(folder)
    asyncio.run(_migrate(postgres.url))
    predictor = start_predictor(folder, **predictor_options)
    worker_metrics, watch_metrics = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    gateway = start_gateway(
        folder,
        predictor.url,
        database__url=postgres.url,
        redis__url=redis.url,
        redis__timeout_seconds=10,  # a machine that is busy is no Redis that is away
        server__max_photos=100,
        tasks__workers=0,
        tasks__max_waiting=20,
        tasks__worker_metrics=worker_metrics,
        photos__policy="all",
        log__max_journal_bytes=500_000,
        upstream__champion_bundle=bundle_with_reference(folder / "champion"),
        monitoring__every_seconds=1,
    )
    worker, watch = start_worker(gateway), start_watch(folder, watch_metrics)
    targets = {
        "gateway": gateway.url.removeprefix("http://"),
        "worker": worker_metrics,
        "predictor": predictor.url.removeprefix("http://"),
        "watch": watch_metrics,
    }
    prometheus = prometheus_server(
        folder,
        targets,
        render_rule_file(tuple(_quicken(group) for group in GROUPS)),
        alertmanager=alertmanager.url.removeprefix("http://"),
        scrape_seconds=_SCRAPE_SECONDS,
    )
    _await_scrapes(prometheus, len(targets))
    yield Service(predictor, gateway, worker, postgres, redis, webhook, folder)
    for server in (prometheus, alertmanager, redis, postgres):
        server.kill()
    for process in (predictor.process, worker, watch, gateway.process):
        if process:
            process.kill()
            process.wait()
    webhook.close()


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


def _quicken(group: Group) -> Group:
    """The rules that are shipped; those that hold for a minute or longer hold for ten seconds."""
    return replace(
        group,
        rules=tuple(
            replace(rule, hold=_HOLD) if isinstance(rule, Alert) and rule.hold in _SHORTENED else rule
            for rule in group.rules
        ),
    )


def _await_scrapes(prometheus: RunningServer, targets: int) -> None:
    """An event is seen by its difference to the scrape before it: every target must have been scraped."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        answer = httpx.get(f"{prometheus.url}/api/v1/query", params={"query": "count(up == 1)"}).json()
        if answer["data"]["result"] and int(answer["data"]["result"][0]["value"][1]) == targets:
            return
        assert time.monotonic() < deadline, "not every process is scraped"
        time.sleep(0.2)
