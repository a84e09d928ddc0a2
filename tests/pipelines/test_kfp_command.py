"""The commands of kfp that we print and document, as kfp's own command line takes them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from kfp.cli.recurring_run import recurring_run
from kfp.cli.run import run as run_group

from pipelines.package import submit_command
from tests.support.services.kfp_backend import kfp_backend

ROOT = Path(__file__).resolve().parents[2]
KFP = Path(sys.executable).with_name("kfp")
GROUPS = {"run": run_group, "recurring-run": recurring_run}
_COMMAND = re.compile(r"(?:^|`)(kfp (?:--?\S+ \S+ )*(?:run|recurring-run) (?:\\\n|[^`\n])*)", re.MULTILINE)


def documented() -> list[str]:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    text = "\n".join(file.read_text() for file in files)
    return [command.replace("\\\n", " ").strip() for command in _COMMAND.findall(text)]


def test_the_printed_command_submits_a_run(package: Path, tmp_path: Path) -> None:
    with kfp_backend() as backend:
        command = submit_command(package).replace("ADDRESS", backend.url)
        words = shlex.split(command.replace("s3://BUCKET/PREFIX", "s3://runs/1"))
        done = subprocess.run([KFP, *words[1:]], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (submitted,) = backend.runs
    assert backend.experiments == ["phytoflow-training"]
    parameters = submitted["runtime_config"]["parameters"]
    assert parameters == {"data": "sample", "output": "s3://runs/1"}
    executors = submitted["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"]
    assert executors["exec-train"]["container"]["image"] == "registry/pipeline:1"


def test_there_are_documented_commands() -> None:
    assert len(documented()) >= 2


@pytest.mark.parametrize("command", documented())
def test_documented_commands_are_what_kfp_takes(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yaml").write_text("")
    words = shlex.split(command)
    group = next(word for word in words if word in GROUPS)
    verb, *rest = words[words.index(group) + 1 :]
    parsed: click.Command = GROUPS[group].commands[verb]
    parsed.make_context(verb, [word for word in rest if not word.startswith("…")])
