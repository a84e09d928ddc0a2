"""A stack with the embedded database, saved and restored."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import pytest

from phytoflow.errors import ConfigError
from phytoflow.stack.backup import back_up, restore
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A stack that is down, with a row, a photo and a secret."""
    made = Layout(tmp_path / "stack")
    Plan("/bundle", "127.0.0.1", 8000, {"redis": 7}, ("postgresql",)).write(made)
    made.secret("redis")
    (made.directory / "photos").mkdir()
    (made.directory / "photos" / "a.jpg").write_bytes(b"photo")
    with sqlite3.connect(made.directory / "gateway.db") as database:
        database.execute("create table predictions (label text)")
        database.execute("insert into predictions values ('rust')")
    return made


def labels(layout: Layout) -> list[str]:
    with sqlite3.connect(layout.directory / "gateway.db") as database:
        return [row[0] for row in database.execute("select label from predictions")]


def test_another_folder_gets_all_of_it(layout: Layout, tmp_path: Path) -> None:
    archive, other = tmp_path / "stack.tar.gz", Layout(tmp_path / "other")
    back_up(layout, archive)
    assert archive.stat().st_mode & 0o077 == 0  # it holds passwords
    restore(other, archive)
    assert labels(other) == ["rust"]
    assert (other.directory / "photos" / "a.jpg").read_bytes() == b"photo"
    assert other.secret("redis") == layout.secret("redis")
    assert Plan.read(other) == Plan.read(layout)
    assert not (other.directory / "restored").exists()


def test_a_row_that_is_not_committed_is_not_in_the_backup(layout: Layout, tmp_path: Path) -> None:
    writer = sqlite3.connect(layout.directory / "gateway.db", isolation_level=None)
    writer.execute("pragma journal_mode=wal")
    writer.execute("begin")
    writer.execute("insert into predictions values ('scab')")
    back_up(layout, tmp_path / "stack.tar.gz")
    writer.execute("commit")
    writer.close()
    assert labels(layout) == ["rust", "scab"]
    restore(layout, tmp_path / "stack.tar.gz")  # over the stack: what came later is gone
    assert labels(layout) == ["rust"]


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_another_file_is_refused_and_changes_nothing(
    layout: Layout, tmp_path: Path, content: bytes | None
) -> None:
    archive = tmp_path / "other.tar.gz"
    if content is None:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(layout.directory / "photos", "photos")
    else:
        archive.write_bytes(content)
    with pytest.raises(ConfigError, match="is no backup"):
        restore(layout, archive)
    assert labels(layout) == ["rust"]
    assert not (layout.directory / "restored").exists()


def test_there_is_nothing_to_save_without_a_stack(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no stack"):
        back_up(Layout(tmp_path), tmp_path / "a.tar.gz")
    assert not (tmp_path / "a.tar.gz").exists()
