"""Parts of a view: who computes what, and how the parts become the view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.training.distributed.group import Group
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.features.parts import Parts
from phytoflow.training.features.view_writer import ViewWriter
from tests.support.services.object_store import object_store

PHOTOS, BATCH = 21, 4
ACTIVATIONS = np.arange(PHOTOS * 2, dtype=np.float16).reshape(PHOTOS, 2)
POOLED = np.arange(PHOTOS, dtype=np.float32)[:, None]


def process(rank: int, size: int, uri: str, machine: Path) -> Parts:
    group = Group(rank, size, local_rank=0, local_size=1)
    return Parts(group, CheckpointStore(uri, "key", machine / "scratch"))


def write_part(parts: Parts, view: Path) -> None:
    rows = parts.rows(PHOTOS, BATCH, parts.group.rank)
    if rows.start < rows.stop:
        writer = ViewWriter(parts.folder(view, parts.group.rank), rows.stop - rows.start, activations=True)
        writer.write((ACTIVATIONS[rows], POOLED[rows]))
        writer.finish()
    parts.share(view)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_each_photo_is_in_one_part_of_whole_batches(size: int, tmp_path: Path) -> None:
    parts = process(0, size, str(tmp_path), tmp_path)
    rows = [parts.rows(PHOTOS, BATCH, rank) for rank in range(size)]
    assert [row for part in rows for row in range(part.start, part.stop)] == list(range(PHOTOS))
    assert all(part.start % BATCH == 0 for part in rows if part.start < part.stop)


@pytest.mark.parametrize("start", [0, 3, 12, 20])
def test_the_parts_are_read_in_order_from_any_photo_on(start: int, tmp_path: Path) -> None:
    view = tmp_path / "scratch" / "view"
    processes = [process(rank, 3, str(tmp_path), tmp_path) for rank in range(3)]
    for parts in processes:
        write_part(parts, view)
    read = list(processes[0].read(view, PHOTOS, BATCH, start))
    assert np.array_equal(np.concatenate([pooled for _, pooled in read]), POOLED[start:])
    assert np.array_equal(np.concatenate([activations for activations, _ in read]), ACTIVATIONS[start:])
    assert [parts.assembles for parts in processes] == [True, False, False]
    processes[0].remove(view)
    assert not list(view.parent.iterdir())


def test_machines_exchange_parts_through_an_object_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_store(tmp_path / "store", monkeypatch):
        machines = [tmp_path / name for name in ("one", "other")]
        processes = [process(rank, 2, "s3://bucket/out", machines[rank]) for rank in range(2)]
        views = [machine / "scratch" / "view" for machine in machines]
        assert not processes[1].is_shared(views[1])
        for parts, view in zip(processes, views, strict=True):
            write_part(parts, view)
        assert processes[1].is_shared(views[1]) and all(parts.assembles for parts in processes)
        for parts, view in zip(processes, views, strict=True):
            pooled = np.concatenate([pooled for _, pooled in parts.read(view, PHOTOS, BATCH)])
            assert np.array_equal(pooled, POOLED)
