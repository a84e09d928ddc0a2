"""The local runner without the steps; whole runs, killed and resumed, are in tests/slow."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from phytoflow.errors import FolderInUseError, StorageError
from phytoflow.steps.context import WORK_VARIABLE
from phytoflow.storage.folder_lock import exclusive_folder
from pipelines.display import Display
from pipelines.failures import StepFailedError
from pipelines.local_runner import _remove_stale_folders, run_here
from pipelines.step_process import StepProcess


def test_a_step_that_fails_ends_the_run_with_its_own_words_and_the_outcome_is_written(tmp_path: Path) -> None:
    stream = io.StringIO()
    parameters = {"data": "sample", "output": str(tmp_path / "out"), "overrides": "training: {batch_sice: 3}"}
    with pytest.raises(StepFailedError, match=r"configure: unknown setting training\.batch_sice") as failure:
        run_here(tmp_path / "out", parameters, Display(stream))
    assert failure.value.exit_code == 2
    shown = stream.getvalue().splitlines()
    assert shown[0] == "1/8 configure" and shown[1].startswith("1/8 configure: failed after")
    assert "failed: " not in stream.getvalue()  # it is said once, at the end
    assert '"state": "FAILED"' in (tmp_path / "out" / "outcome.json").read_text()
    assert "[configure] failed: unknown setting" in (tmp_path / "out" / "run.log").read_text()


def test_steps_are_told_where_unfinished_work_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []

    class Recorded(StepProcess):
        def __init__(
            self, command: Sequence[str], environment: Mapping[str, str], keep_open: Sequence[int] = ()
        ) -> None:
            folders.append(environment[WORK_VARIABLE])
            super().__init__(command, environment, keep_open)

    monkeypatch.setattr("pipelines.local_runner.StepProcess", Recorded)
    parameters = {"data": "sample", "output": str(tmp_path / "out"), "overrides": "seed: x"}
    with pytest.raises(StepFailedError):
        run_here(tmp_path / "out", parameters, Display(io.StringIO()))
    assert set(folders) == {str(tmp_path / "out")}


def test_a_second_run_is_refused_before_it_writes_anything(tmp_path: Path) -> None:
    with exclusive_folder(tmp_path), pytest.raises(FolderInUseError, match="another run works in"):
        run_here(tmp_path, {"data": "sample", "output": str(tmp_path)}, Display(io.StringIO()))
    assert not (tmp_path / "run.log").exists()


def test_an_output_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(StorageError, match="out is no folder"):
        run_here(tmp_path / "out", {"data": "sample", "output": ""}, Display(io.StringIO()))
    assert (tmp_path / "out").read_text() == "mine"


def test_folders_that_no_cache_entry_names_are_removed(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"phytoflow-training-{number}").mkdir()
    (tmp_path / ".kfp_cache").mkdir()
    (tmp_path / ".kfp_cache" / "key.json").write_text('{"uri": "/x/phytoflow-training-1/train/model"}')
    _remove_stale_folders(tmp_path, keep=1)
    assert {path.name[-1] for path in tmp_path.glob("phytoflow-*")} == {"1", "3"}
    _remove_stale_folders(tmp_path, keep=0)
    assert {path.name[-1] for path in tmp_path.glob("phytoflow-*")} == {"1"}
