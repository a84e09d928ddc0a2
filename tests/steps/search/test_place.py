"""Where a study is: a database that the environment names, or a journal file of a local output."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.errors import ConfigError
from phytoflow.steps.search.place import study_place, work_folder
from phytoflow.tuning.study import StudyPlace


def test_workers_of_one_output_share_a_study_that_no_other_output_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STUDY_STORAGE, "postgresql://me:secret@db/studies")
    first, second = (study_place("s3://runs/1", worker) for worker in ("worker-0", "worker-1"))
    assert first == StudyPlace("postgresql://me:secret@db/studies", "s3://runs/1", "worker-0")
    assert (second.storage, second.name) == (first.storage, first.name) and second.worker == "worker-1"
    assert study_place("s3://runs/2").name != first.name


def test_a_laptop_keeps_the_study_in_the_output(tmp_path: Path) -> None:
    place = study_place(str(tmp_path / "out"))
    assert place.storage == f"journal://{tmp_path}/out/study.log" and (tmp_path / "out").is_dir()


def test_an_object_store_without_a_database_is_refused() -> None:
    with pytest.raises(ConfigError, match=STUDY_STORAGE) as refusal:
        study_place("s3://runs/1")
    assert "postgresql://" in refusal.value.remedy


def test_a_local_worker_finds_its_folder_again_and_one_in_a_pod_leaves_nothing(tmp_path: Path) -> None:
    with work_folder(str(tmp_path), "worker-0") as folder:
        assert folder == tmp_path / "search" / "worker-0"
    with work_folder("s3://runs/1", "worker-0") as folder:
        (folder / "sample").mkdir()
    assert not folder.exists()
