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
from phytoflow.stack.plan import PREDICTORS, Plan, Role
from phytoflow.stack.service import Service, fresh_file_health, http_health
from phytoflow.storage.uri import is_local, local_path

GATEWAY_MODULE = "serving.gateway"
MODEL = "leaf"
"""Name of the models in the predictors' URLs."""
_WORKER_SILENCE_SECONDS = 15.0  # the worker touches its file every few seconds


def build_services(layout: Layout, plan: Plan) -> list[Service]:
    """Every service that runs here, in the order in which they are started.

    Args:
        layout: The stack's folder; settings files of the services are written there.
        plan: What was asked for.
    """
    postgres, redis = stores.postgresql(layout, plan), stores.redis(layout, plan)
    prometheus, mlflow = stores.prometheus(layout, plan), stores.mlflow(layout, plan)
    needed = [service for service in (postgres, redis) if service]
    present = {service.name for service in (*needed, prometheus, mlflow) if service}
    _write_gateway_settings(layout, plan, present)
    own = [_predictor(plan, "champion", plan.bundle), _gateway(layout, plan, needed), _worker(layout, needed)]
    own += [_predictor(plan, "challenger", plan.challenger)] if plan.challenger else []
    others = (mlflow, stores.alertmanager(layout, plan), prometheus)
    return [*needed, *own, *(service for service in others if service)]


def _predictor(plan: Plan, role: Role, bundle: str) -> Service:
    name = PREDICTORS[role]
    ports = ["--http_port", str(plan.ports[name]), "--grpc_port", str(plan.ports[f"{name}_grpc"])]
    command = [sys.executable, "-m", PREDICTOR_MODULE, "--bundle", bundle, "--host", "127.0.0.1", *ports]
    health = http_health(f"{plan.predictor_url(role)}/v2/models/{MODEL}/ready")
    return Service(
        name,
        (*command, "--model_name", MODEL),
        health,
        environment_for("serving"),
        start_seconds=120,
        optional=role == "challenger",
    )


def _link_bundle(layout: Layout, role: Role, bundle: str) -> str:
    """What the gateway is told: a link to a local bundle, which can lead to another one later."""
    link = layout.bundle(role)
    if bundle and not is_local(bundle):
        return bundle
    if bundle:
        aside = link.with_name(f"{link.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(local_path(bundle))
        aside.replace(link)
    else:
        link.unlink(missing_ok=True)
    return str(link)


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


def _write_gateway_settings(layout: Layout, plan: Plan, present: set[str]) -> None:
    """The gateway's settings; its passwords make the file readable for its owner only."""
    settings: dict[str, object] = {
        "directory": str(layout.directory),
        "server": {"host": plan.host, "port": plan.port},
        "upstream": {
            "champion": plan.predictor_url("champion"),
            "champion_bundle": _link_bundle(layout, "champion", plan.bundle),
            "challenger_bundle": _link_bundle(layout, "challenger", plan.challenger),
        },
        "tasks": {"workers": 0, "worker_metrics": f"127.0.0.1:{plan.ports['worker']}"},
    }
    if "postgresql" in present:
        address = f"127.0.0.1:{plan.ports['postgresql']}"
        url = f"postgresql+asyncpg://gateway:{layout.secret('postgresql')}@{address}/gateway"
        settings["database"] = {"url": url}
    if "redis" in present:
        settings["redis"] = {"url": f"redis://:{layout.secret('redis')}@127.0.0.1:{plan.ports['redis']}/0"}
    if "prometheus" in present:
        settings["prometheus_url"] = f"http://127.0.0.1:{plan.ports['prometheus']}"
    if "mlflow" in present:
        settings["runs"] = {"mlflow_url": f"http://127.0.0.1:{plan.ports['mlflow']}"}
    layout.write_private(layout.gateway_settings.name, yaml.safe_dump(settings, sort_keys=False))
