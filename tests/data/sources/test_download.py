import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.sources.download import MAX_FAILURES, download, read_small
from phytoflow.errors import StorageError
from tests.support.services.cutting_server import Behaviour, serve

CONTENT = os.urandom(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MOST = 2_000_000


@pytest.fixture
def server() -> Iterator[Behaviour]:
    with serve(Behaviour(files={"/set.zip": CONTENT, "/set.zip.sha256": b"abc  set.zip\n"})) as behaviour:
        yield behaviour


def get(server: Behaviour, to: Path, *, max_bytes: int = MOST, sha256: str = SHA256) -> Path:
    return download(f"{server.url}/set.zip", to, max_bytes=max_bytes, sha256=sha256, pause=0.001)


def test_a_file_arrives_whole(server: Behaviour, tmp_path: Path) -> None:
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [""]
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_a_cut_connection_is_resumed_where_it_broke(server: Behaviour, tmp_path: Path) -> None:
    server.cut_after, server.cuts = 300_000, 3
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_any_number_of_cuts_is_borne_while_bytes_arrive(server: Behaviour, tmp_path: Path) -> None:
    server.cut_after, server.cuts = 60_000, 16
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert len(server.asked) > MAX_FAILURES


def test_what_an_earlier_process_left_is_continued(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT[:400_000])
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == ["bytes=400000-"]


def test_a_part_that_is_whole_is_taken(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_starts_anew(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT + b"more")
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000004-", ""]


def test_a_server_without_ranges_starts_anew(server: Behaviour, tmp_path: Path) -> None:
    server.ranges, server.cut_after, server.cuts = False, 300_000, 2
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(server: Behaviour, tmp_path: Path) -> None:
    server.refusals = [503, 429, 500]
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    server.asked.clear()
    server.refusals = [403]
    with pytest.raises(StorageError, match="403"):
        get(server, tmp_path / "other.zip")
    assert server.asked == [""]


def test_it_gives_up_after_some_failures_and_keeps_what_came(server: Behaviour, tmp_path: Path) -> None:
    server.cut_after, server.cuts = 300_000, 1
    server.files["/set.zip"] = CONTENT
    (tmp_path / "set.zip.part").write_bytes(CONTENT[:100_000])
    server.refusals = [503] * (MAX_FAILURES + 1)
    with pytest.raises(StorageError, match="503") as error:
        get(server, tmp_path / "set.zip")
    assert "the same command again: it resumes" in str(error.value)
    assert (tmp_path / "set.zip.part").stat().st_size == 100_000
    assert len(server.asked) == MAX_FAILURES


def test_altered_bytes_are_noticed_and_removed(server: Behaviour, tmp_path: Path) -> None:
    server.altered = True
    with pytest.raises(StorageError, match=SHA256):
        get(server, tmp_path / "set.zip")
    assert list(tmp_path.iterdir()) == []
    server.altered = False
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_file_too_large_is_refused_before_it_is_loaded(server: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="999999 bytes allowed"):
        get(server, tmp_path / "set.zip", max_bytes=999_999)
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot download"):
        download("http://127.0.0.1:9/set.zip", tmp_path / "set.zip", max_bytes=1, pause=0.001)
    with pytest.raises(StorageError, match="cannot read"):
        read_small("http://127.0.0.1:9/set.zip.sha256")


def test_small_files_are_read_or_absent(server: Behaviour) -> None:
    assert read_small(f"{server.url}/set.zip.sha256") == "abc  set.zip\n"
    assert read_small(f"{server.url}/none") is None
