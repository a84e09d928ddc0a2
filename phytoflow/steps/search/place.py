"""Where a search's study is, and where its steps work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.errors import ConfigError
from phytoflow.storage.temporary import temporary_folder
from phytoflow.storage.uri import is_local, local_path
from phytoflow.tuning.storage import JOURNAL
from phytoflow.tuning.study import StudyPlace

_JOURNAL_FILE = "study.log"


def study_place(output: str, worker: str = "") -> StudyPlace:
    """The study of a run: in the database that the environment names, or in a journal file of its folder.

    The address may hold a password. It is therefore no parameter of a pipeline.

    Args:
        output: The run's folder or prefix, which names its study.
        worker: Name of the worker.

    Raises:
        ConfigError: No database is named, and the output cannot hold a journal file.
    """
    if address := os.environ.get(STUDY_STORAGE):
        return StudyPlace(address, output, worker)
    if not is_local(output):
        what = f"workers cannot share a study: {STUDY_STORAGE} is not set, and {output} holds no journal file"
        remedy = f"put postgresql://USER:PASSWORD@HOST/DATABASE into the Secret's key {STUDY_STORAGE}"
        raise ConfigError(what, remedy=remedy)
    folder = local_path(output).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return StudyPlace(f"{JOURNAL}{folder / _JOURNAL_FILE}", output, worker)


@contextmanager
def work_folder(output: str, name: str) -> Iterator[Path]:
    """The folder in which a step works: a lasting one in a local output, else a temporary one.

    Args:
        output: The run's folder or prefix.
        name: Name of the worker, or ``conclusion``.
    """
    if is_local(output):
        yield local_path(output) / "search" / name
        return
    with temporary_folder() as folder:
        yield folder
