"""Real Prometheus and Alertmanager servers for tests."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import yaml

from phytoflow.system.ports import free_port
from tests.support.services.databases import RunningServer

SCRAPE_SECONDS = 1


def prometheus_server(
    folder: Path,
    targets: Mapping[str, str],
    rules: str,
    *,
    alertmanager: str = "",
    port: int = 0,
    scrape_seconds: int = SCRAPE_SECONDS,
) -> RunningServer:
    """A Prometheus; skips the test if there is none.

    Args:
        folder: For its files.
        targets: HOST:PORT by job.
        rules: Content of the rule file.
        alertmanager: HOST:PORT of an Alertmanager; empty: none.
        port: Its own port; 0: a free one.
        scrape_seconds: Time between scrapes, and how long one may take.
    """
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus on PATH (Debian: apt-get install prometheus)")
    (folder / "rules.yaml").write_text(rules)
    labels = {"inferenceservice": "leaf", "ready": "true"}  # as the PodMonitor sets them
    scrapes = [
        {
            "job_name": job,
            "static_configs": [{"targets": [target], "labels": labels if job == "predictor" else {}}],
        }
        for job, target in targets.items()
    ]
    every = f"{scrape_seconds}s"
    settings = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": scrapes,
    }
    if alertmanager:
        settings["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
    port = port or free_port()
    command = [program, f"--config.file={folder / 'prometheus.yaml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    return _started(f"http://127.0.0.1:{port}", command, folder / "prometheus.log")


def alertmanager_server(folder: Path, config: str) -> RunningServer:
    """An Alertmanager of its own; skips the test if there is none."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("no Alertmanager on PATH (Debian: apt-get install prometheus-alertmanager)")
    (folder / "alertmanager.yaml").write_text(config)
    port = free_port()
    command = [program, f"--config.file={folder / 'alertmanager.yaml'}", "--cluster.listen-address="]
    command += [f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{port}"]
    return _started(f"http://127.0.0.1:{port}", command, folder / "alertmanager.log")


def _started(url: str, command: list[str], log: Path) -> RunningServer:
    def ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    server = RunningServer(url, command, ready, log)
    server.start()
    return server
