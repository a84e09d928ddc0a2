"""Why a step failed, from what it left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.failures import RunInterruptedError, explain_failure


def test_the_steps_own_words_come_first(tmp_path: Path) -> None:
    facts = {"step": "preprocess", "message": "only one class", "remedy": "add another", "exit_code": 3}
    (tmp_path / "failure.json").write_text(json.dumps(facts))
    error = explain_failure(
        tmp_path / "failure.json", "preprocess", 3, ["ValueError: x"], tmp_path / "run.log"
    )
    assert (error.message, error.remedy, error.exit_code) == ("preprocess: only one class", "add another", 3)


@pytest.mark.parametrize(
    ("code", "tail", "message", "exit_code"),
    [
        (
            5,
            ["[train] failed: no space left to write x", "  What to do: free some"],
            "no space left to write x",
            5,
        ),
        (1, ["Traceback", "OSError: [Errno 28] No space left on device: '/x'"], "No space left", 5),
        (1, ["mktemp: failed to create directory: Read-only file system"], "Read-only file system", 5),
        (
            1,
            ["Traceback", "  File", "ValueError: shapes differ", "[Executor] bye"],
            "ValueError: shapes differ",
            1,
        ),
        (-9, [], "too little free memory", 1),
        (-11, ["ValueError: earlier"], "SIGSEGV", 1),
        (3, [], "exit code 3", 1),
    ],
)
def test_else_its_end_is_explained(
    code: int, tail: list[str], message: str, exit_code: int, tmp_path: Path
) -> None:
    error = explain_failure(tmp_path / "none.json", "train", code, tail, tmp_path / "run.log")
    assert error.message.startswith("train: ") and message in error.message
    assert error.exit_code == exit_code and error.remedy


def test_an_interrupted_run_says_that_the_same_command_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/phytoflow", "run", "--output", "a b"])
    error = RunInterruptedError("3/8 train", 15)
    assert error.message == "interrupted in 3/8 train (SIGTERM)" and error.exit_code == 143
    assert error.remedy == "the same command resumes: phytoflow run --output 'a b'"
