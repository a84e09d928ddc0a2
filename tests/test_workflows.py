"""The workflows: actions pinned by commit, least permissions, and commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text()))


@EACH
def test_actions_are_pinned_by_commit_and_name_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version() -> None:
    used = {tuple(u.split("@")) for path in WORKFLOWS for u in re.findall(r"uses: (.+)", path.read_text())}
    assert len({name for name, _ in used}) == len(used)


@EACH
def test_a_workflow_reads_unless_a_job_says_more(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


@EACH
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    """Expressions in `run` are injected as text; values go through the environment."""
    for job in load(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step["run"]


def test_pull_requests_start_the_cluster_tests_by_label_only() -> None:
    workflow = load(ROOT / ".github" / "workflows" / "e2e.yaml")
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as true
    assert {"push", "schedule", "workflow_dispatch", "pull_request"} <= triggers.keys()
    assert "labeled" in triggers["pull_request"]["types"]
    assert "'e2e'" in workflow["jobs"]["kind"]["if"]


@pytest.mark.parametrize("name", ["retrain", "deploy"])
def test_checks_run_on_a_schedule_and_by_hand_and_are_never_cut_off(name: str) -> None:
    workflow = load(ROOT / ".github" / "workflows" / f"{name}.yaml")
    assert {"schedule", "workflow_dispatch"} <= workflow[True].keys()
    assert workflow["concurrency"]["cancel-in-progress"] is False


@EACH
def test_targets_and_options_exist(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in re.findall(r"(?:run: |^ +|=docker )make ([a-z0-9 -]+)", text, re.MULTILINE):
        assert set(line.split()) <= targets, line
    for command in re.findall(r"\.venv/bin/phytoflow (.+?)(?: \||\n(?! +--))", text, re.DOTALL):
        words = command.replace("\\\n", " ").split()
        verbs = [word for word in words[:2] if re.fullmatch(r"[a-z-]+", word)]
        program = [str(ROOT / ".venv" / "bin" / "phytoflow"), *verbs, "--help"]
        if not Path(program[0]).exists():
            pytest.skip("no .venv: phytoflow is installed elsewhere")
        done = subprocess.run(program, capture_output=True, text=True, env={"COLUMNS": "200"})
        assert done.returncode == 0, done.stderr
        missing = [word for word in words if word.startswith("--") and word not in done.stdout]
        assert missing == [], f"{' '.join(verbs)} has no {missing}"


def test_every_image_is_released_but_the_stores_of_the_dev_overlay() -> None:
    built = {path.stem for path in (ROOT / "images").glob("*.Containerfile")}
    image = load(ROOT / ".github" / "workflows" / "release.yaml")["jobs"]["image"]
    assert set(image["strategy"]["matrix"]["name"]) == built - {"postgresql", "redis"}


def test_actionlint_passes() -> None:
    if not shutil.which("actionlint"):
        pytest.skip("no actionlint on the path (scripts/install-tools)")
    done = subprocess.run(["actionlint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
