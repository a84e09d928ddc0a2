"""`phytoflow watch` from the command line: a change starts the command, the audit log says so."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from typer.testing import CliRunner

from phytoflow.cli.main import app


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
