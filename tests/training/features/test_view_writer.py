"""The features of one view on disk, written block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from phytoflow.errors import StorageError
from phytoflow.training.features.extractor import Features
from phytoflow.training.features.view_writer import ACTIVATIONS, POOLED, ViewWriter
from tests.support.disks import small_disk


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def block(first: int, count: int = 4) -> Features:
    """Features of photos ``first`` and on: each value is the photo's number."""
    numbers = np.arange(first, first + count)
    activations = np.broadcast_to(numbers[:, None, None, None], (count, 2, 3, 3)).astype(np.float16)
    return activations, np.broadcast_to(numbers[:, None], (count, 5)).astype(np.float32)


def test_a_view_is_complete_or_absent(tmp_path: Path) -> None:
    folder = tmp_path / "train-none-0"
    writer = ViewWriter(folder, 8, activations=True)
    writer.write(block(0))
    assert not folder.exists()
    writer.write(block(4))
    writer.finish()
    assert sorted(path.name for path in folder.iterdir()) == [ACTIVATIONS, POOLED]
    assert np.load(folder / POOLED)[:, 0].tolist() == list(range(8))
    assert np.load(folder / ACTIVATIONS)[:, 1, 2, 0].tolist() == list(range(8))
    assert [path.name for path in tmp_path.iterdir()] == ["train-none-0"]


def test_after_a_kill_it_goes_on_after_the_last_saved_rows(tmp_path: Path) -> None:
    folder, clock = tmp_path / "view", Clock()
    killed = ViewWriter(folder, 12, activations=True, clock=clock)
    killed.write(block(0))
    clock.now += 11  # more than the seconds between two saves
    killed.write(block(4))
    clock.now += 1
    killed.write(block(8))  # written but not saved when the process dies
    writer = ViewWriter(folder, 12, activations=True)
    assert writer.rows == 8
    writer.write(block(8))
    writer.finish()
    assert np.load(folder / POOLED)[:, 4].tolist() == list(range(12))
    assert np.load(folder / ACTIVATIONS)[:, 0, 0, 0].tolist() == list(range(12))


def test_a_kill_before_the_first_save_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "view"
    ViewWriter(folder, 8, activations=True).write(block(0))
    writer = ViewWriter(folder, 4, activations=False)
    assert writer.rows == 0
    writer.write(block(0))
    writer.finish()
    assert [path.name for path in folder.iterdir()] == [POOLED]


def test_a_kill_after_the_last_rows_leaves_nothing_to_compute(tmp_path: Path) -> None:
    folder, clock = tmp_path / "view", Clock()
    killed = ViewWriter(folder, 4, activations=True, clock=clock)
    clock.now += 11
    killed.write(block(0))
    writer = ViewWriter(folder, 4, activations=True)
    assert writer.rows == 4
    writer.finish()
    assert np.load(folder / POOLED)[:, 0].tolist() == list(range(4))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 0.5) as folder:
        yield folder


def test_a_disk_without_room_is_named_before_anything_is_computed_in_vain(disk: Path) -> None:
    """Written into a sparse file, the rows that no longer fit would end the process with SIGBUS."""
    writer = ViewWriter(disk / "features" / "view", 100_000, activations=True)
    with pytest.raises(StorageError, match=r"no space left to write .*pooled\.npy") as raised:
        writer.write(block(0))
    assert raised.value.exit_code == 5 and f"free some space on {disk}" in raised.value.remedy
