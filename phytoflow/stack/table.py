"""The table of services: which there are, in which order, with which settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import yaml

from phytoflow.deploy.local.process import PREDICTOR_MODULE
from phytoflow.errors import StorageError
from phytoflow.outer_packages import environment_for
from phytoflow.stack import stores
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from phytoflow.stack.service import Service, fresh_file_health, http_health

GATEWAY_MODULE = "serving.gateway"
_WORKER_SILENCE_SECONDS = 15.0  # the worker touches its file every few seconds


def build_services(layout: Layout, plan: Plan) -> list[Service]:
    """Every service that runs here, in the order in which they are started.

    Args:
        layout: The stack's folder; settings files of the services are written there.
        plan: What was asked for.
    """
    postgres, redis = stores.postgresql(layout, plan), stores.redis(layout, plan)
    prometheus = stores.prometheus(layout, plan)
    needed = [service for service in (postgres, redis) if service]
    _write_gateway_settings(layout, plan, postgres=postgres, redis=redis, prometheus=prometheus)
    own = [_predictor(layout, plan), _gateway(layout, plan, needed), _worker(layout, needed)]
    others = (stores.mlflow(layout, plan), stores.alertmanager(layout, plan), prometheus)
    return [*needed, *own, *(service for service in others if service)]


def _predictor(layout: Layout, plan: Plan) -> Service:
    port, grpc = plan.ports["predictor"], plan.ports["predictor_grpc"]
    command = [sys.executable, "-m", PREDICTOR_MODULE, "--bundle", plan.bundle, "--host", "127.0.0.1"]
    command += ["--http_port", str(port), "--grpc_port", str(grpc), "--model_name", "leaf"]
    health = http_health(f"http://127.0.0.1:{port}/v2/models/leaf/ready")
    return Service("predictor", tuple(command), health, environment_for("serving"), start_seconds=120)


def _gateway(layout: Layout, plan: Plan, needed: Sequence[Service]) -> Service:
    command = (sys.executable, "-m", GATEWAY_MODULE, "serve", "--config", str(layout.gateway_settings))
    health = http_health(f"{plan.url}/livez")
    requires = ("predictor", *(service.name for service in needed))
    migrate = (*command[:3], "migrate", *command[4:])

    def prepare() -> None:
        done = subprocess.run(
            migrate, env=environment_for("serving"), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StorageError(f"the database cannot be migrated: {done.stderr.strip()[-300:]}")

    return Service("gateway", command, health, environment_for("serving"), prepare=prepare, requires=requires)


def _worker(layout: Layout, needed: Sequence[Service]) -> Service:
    command = (sys.executable, "-m", GATEWAY_MODULE, "worker", "--config", str(layout.gateway_settings))
    alive = layout.directory / "worker.alive"
    # The gateway migrates the database: the worker begins after it.
    requires = ("gateway", *(service.name for service in needed))
    environment = {**environment_for("serving"), "PHYTOFLOW_WORKER_ALIVE_FILE": str(alive)}
    return Service(
        name="worker",
        command=command,
        health=fresh_file_health(alive, _WORKER_SILENCE_SECONDS),
        environment=environment,
        prepare=lambda: alive.unlink(missing_ok=True),  # of a killed worker: the new one is not up yet
        requires=requires,
    )


def _write_gateway_settings(
    layout: Layout, plan: Plan, *, postgres: Service | None, redis: Service | None, prometheus: Service | None
) -> None:
    """The gateway's settings; its passwords make the file readable for its owner only."""
    settings: dict[str, object] = {
        "directory": str(layout.directory),
        "server": {"host": plan.host, "port": plan.port},
        "upstream": {
            "champion": f"http://127.0.0.1:{plan.ports['predictor']}",
            "champion_bundle": plan.bundle,
        },
        "tasks": {"workers": 0, "worker_metrics": f"127.0.0.1:{plan.ports['worker']}"},
    }
    if postgres:
        address = f"127.0.0.1:{plan.ports['postgresql']}"
        url = f"postgresql+asyncpg://gateway:{layout.secret('postgresql')}@{address}/gateway"
        settings["database"] = {"url": url}
    if redis:
        settings["redis"] = {"url": f"redis://:{layout.secret('redis')}@127.0.0.1:{plan.ports['redis']}/0"}
    if prometheus:
        settings["prometheus_url"] = f"http://127.0.0.1:{plan.ports['prometheus']}"
    layout.write_private(layout.gateway_settings.name, yaml.safe_dump(settings, sort_keys=False))
