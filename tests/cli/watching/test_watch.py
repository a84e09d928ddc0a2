"""`phytoflow watch` from the command line: a change starts the command, the audit log says so."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import yaml
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.system.ports import free_port
from tests.support.services.processes import wait_until


def test_a_change_of_the_photos_starts_the_command(tmp_path: Path) -> None:
    photos = tmp_path / "photos" / "rust"
    photos.mkdir(parents=True)
    (photos / "a.jpg").write_bytes(b"one")
    file = tmp_path / "watch.yaml"
    command = [sys.executable, "-c", "import sys; open(sys.argv[1] + '/done', 'w').write(sys.argv[2])"]
    tree = {
        "directory": str(tmp_path / "watch"),
        "triggers": {"data": str(tmp_path / "photos")},
        "train": [*command, "{output}", "{data}"],
    }
    file.write_text(yaml.safe_dump(tree))
    assert CliRunner().invoke(app, ["watch", str(file), "--once"]).exit_code == 0
    (photos / "b.jpg").write_bytes(b"two")
    assert CliRunner().invoke(app, ["watch", str(file), "--once", "--dry-run"]).exit_code == 0
    assert not (tmp_path / "watch" / "runs").exists()
    assert CliRunner().invoke(app, ["watch", str(file), "--once"]).exit_code == 0
    assert (tmp_path / "watch" / "runs" / "000002" / "done").read_text() == str(tmp_path / "photos")
    log = CliRunner().invoke(app, ["watch", str(file), "--log"]).output
    first, second = log.splitlines()
    assert "train  baseline  data" in first and "train  succeeded  data" in second


def test_sigterm_ends_the_command_and_gives_the_lease_back(tmp_path: Path) -> None:
    port, file, started = free_port(), tmp_path / "watch.yaml", tmp_path / "started"
    sleep = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    tree = {
        "directory": str(tmp_path / "watch"),
        "metrics": f"127.0.0.1:{port}",
        "triggers": {"data": str(tmp_path / "photos")},
        "train": [sys.executable, "-c", sleep],
    }
    file.write_text(yaml.safe_dump(tree))
    (tmp_path / "photos" / "rust").mkdir(parents=True)
    assert CliRunner().invoke(app, ["watch", str(file), "--once"]).exit_code == 0  # the baseline
    (tmp_path / "photos" / "rust" / "a.jpg").write_bytes(b"one")
    process = subprocess.Popen([sys.executable, "-m", "phytoflow.cli", "watch", str(file)])
    try:
        wait_until(lambda: started.exists() and bool(started.read_text()), 60, "the command")
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    finally:
        process.kill()
    assert not psutil.pid_exists(int(started.read_text()))
    with closing(sqlite3.connect(tmp_path / "watch" / "watch.db")) as database:
        assert database.execute("select expires from watch_lease").fetchall() == [(0.0,)]
    assert "running" in CliRunner().invoke(app, ["watch", str(file), "--log"]).output  # it is resumed
