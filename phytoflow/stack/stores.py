"""PostgreSQL, Redis, MLflow, Alertmanager and Prometheus as services of the stack."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from phytoflow.alerts.alertmanager import render_config
from phytoflow.alerts.catalogue import GROUPS
from phytoflow.alerts.prometheus import render_rule_file
from phytoflow.errors import StorageError
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from phytoflow.stack.programs import as_postgres_user, find_postgres, find_program
from phytoflow.stack.service import Service, command_health, http_health

_SIGINT = 2  # PostgreSQL's fast shutdown; SIGTERM would wait for every client


def postgresql(layout: Layout, plan: Plan) -> Service | None:
    """PostgreSQL with a password of its own; None if it is not installed or not wanted."""
    programs = find_postgres()
    if programs is None or "postgresql" in plan.without:
        return None
    data, port = layout.directory / "postgresql", plan.ports["postgresql"]
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    user = as_postgres_user(data)
    password = layout.secret("postgresql")
    command = [*user, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    environment = {"PGPASSWORD": password}
    ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]

    def prepare() -> None:
        _let_through(data)
        if not (data / "PG_VERSION").exists():
            _initdb(programs, user, data, password)
        (data / "postmaster.pid").unlink(missing_ok=True)  # of a killed server; the supervisor runs but one

    def make_database() -> None:
        create = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "gateway", "gateway"]
        subprocess.run(create, env=os.environ | environment, capture_output=True, check=False)

    return Service(
        name="postgresql",
        command=(*command, "-c", "listen_addresses=127.0.0.1"),
        health=command_health(ready),
        prepare=prepare,
        after_healthy=make_database,
        stop_signal=_SIGINT,
    )


def redis(layout: Layout, plan: Plan) -> Service | None:
    """Redis with a password and an append-only file; None if it is not installed or not wanted."""
    program = find_program("redis-server")
    if program is None or "redis" in plan.without:
        return None
    data, port = layout.directory / "redis", plan.ports["redis"]
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = layout.secret("redis")
    settings = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": data,
        "requirepass": password,
        "appendonly": "yes",
        "save": '""',
    }
    file = layout.write_private("redis.conf", "".join(f"{key} {value}\n" for key, value in settings.items()))
    ping = [find_program("redis-cli") or "redis-cli", "-p", str(port), "--no-auth-warning", "ping"]
    return Service(
        name="redis",
        command=(program, str(file)),
        health=command_health(ping, os.environ | {"REDISCLI_AUTH": password}),
    )


def mlflow(layout: Layout, plan: Plan) -> Service | None:
    """MLflow's page on the runs; None if it is not installed or not wanted."""
    if importlib.util.find_spec("mlflow") is None or "mlflow" in plan.without:
        return None
    folder, port = Path(plan.runs or layout.directory / "mlflow"), plan.ports["mlflow"]
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "mlartifacts")]
    # Without the first variable the server takes three times the memory.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    health = http_health(f"http://127.0.0.1:{port}/health")
    return Service("mlflow", tuple(command), health, environment, start_seconds=120, optional=True)


def alertmanager(layout: Layout, plan: Plan) -> Service | None:
    """Alertmanager; None if it is not installed or not wanted, or without Prometheus.

    Its configuration is written once and may be changed: without a receiver of your own, alerts are seen
    on its page only.
    """
    program = find_program("prometheus-alertmanager") or find_program("alertmanager")
    if (
        program is None
        or find_program("prometheus") is None
        or {"alertmanager", "prometheus"} & {*plan.without}
    ):
        return None
    file, port = layout.directory / "alertmanager.yaml", plan.ports["alertmanager"]
    if not file.exists():
        layout.write_private(file.name, render_config())
    command = (
        program,
        f"--config.file={file}",
        f"--storage.path={layout.directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # one process, no cluster
    )
    return Service("alertmanager", command, http_health(f"http://127.0.0.1:{port}/-/ready"), optional=True)


def prometheus(layout: Layout, plan: Plan) -> Service | None:
    """Prometheus with phytoflow's rules, scraping all processes; None if not installed or not wanted."""
    program = find_program("prometheus")
    if program is None or "prometheus" in plan.without:
        return None
    port = plan.ports["prometheus"]
    targets = {"gateway": plan.port, "worker": plan.ports["worker"], "predictor": plan.ports["predictor"]}
    rules = layout.write_private("rules.yaml", render_rule_file(GROUPS))
    settings = {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(rules)],
        "scrape_configs": [_scrape(job, target) for job, target in targets.items()],
    }
    if alertmanager(layout, plan):
        receivers = [{"targets": [f"127.0.0.1:{plan.ports['alertmanager']}"]}]
        settings["alerting"] = {"alertmanagers": [{"static_configs": receivers}]}
    file = layout.write_private("prometheus.yml", yaml.safe_dump(settings, sort_keys=False))
    command = (
        program,
        f"--config.file={file}",
        f"--storage.tsdb.path={layout.directory / 'prometheus'}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    return Service("prometheus", command, http_health(f"http://127.0.0.1:{port}/-/ready"), optional=True)


def _scrape(job: str, port: int) -> dict[str, object]:
    # The labels that manifests/monitoring/podmonitor.yaml gives a predictor.
    labels = {"inferenceservice": "leaf", "ready": "true"} if job == "predictor" else {}
    return {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": labels}]}


def _initdb(programs: Path, user: list[str], data: Path, password: str) -> None:
    command = [*user, str(programs / "initdb"), "-D", str(data), "-U", "gateway", "-E", "UTF8"]
    with tempfile.TemporaryDirectory(prefix="phytoflow-") as folder:  # outside: initdb wants an empty folder
        file = Path(folder) / "password"
        file.write_text(password)
        file.chmod(0o600)
        for path in (Path(folder), file):
            as_postgres_user(path)
        command += ["-A", "scram-sha-256", f"--pwfile={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        what = f"PostgreSQL cannot make its database in {data}: {done.stderr.strip()[-300:]}"
        raise StorageError(what, remedy="free some space, or use --without postgresql")


def _let_through(data: Path) -> None:
    """PostgreSQL's own user must be able to reach its folder through those above it."""
    if os.geteuid() != 0:
        return
    for folder in data.parents:
        if folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o001)  # pass through, not list
