import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from phytoflow.data.sources.git_archive import git_tree, unpack_classes
from phytoflow.errors import DataError

GOOD = {
    "top-1/data/grass/1.jpg": b"one",
    "top-1/data/grass/deep/2.jpg": b"two",
    "top-1/data/dandelion/3.jpg": b"three",
    "top-1/data/labels.csv": b"no class folder",
    "top-1/code/grass/4.jpg": b"elsewhere",
}


def packed(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def unpacked(
    folder: Path, archive: Path, classes: tuple[str, ...] = (), room: int = 10_000
) -> dict[str, bytes]:
    to = folder / "out"
    to.mkdir()
    unpack_classes(archive, "data", classes, to, max_bytes=room)
    return {p.relative_to(to).as_posix(): p.read_bytes() for p in to.rglob("*") if p.is_file()}


def test_class_folders_are_unpacked_and_nothing_else(tmp_path: Path) -> None:
    found = unpacked(tmp_path, packed(tmp_path, GOOD))
    assert found == {"grass/1.jpg": b"one", "grass/deep/2.jpg": b"two", "dandelion/3.jpg": b"three"}


def test_only_the_wanted_classes(tmp_path: Path) -> None:
    assert unpacked(tmp_path, packed(tmp_path, GOOD), ("dandelion",)) == {"dandelion/3.jpg": b"three"}


@pytest.mark.parametrize(
    "name", ["top/data/../../../evil", "/etc/evil", "top/data/grass/../../../../evil", "..\\evil", "C:\\evil"]
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path, {**GOOD, name: b"evil"})
    with pytest.raises(DataError, match="leaves its folder"):
        unpacked(tmp_path, archive)
    assert list((tmp_path / "out").iterdir()) == []


def test_links_are_left_out(tmp_path: Path) -> None:
    archive = packed(tmp_path, GOOD)
    with zipfile.ZipFile(archive, "a") as file:
        link = zipfile.ZipInfo("top-1/data/grass/passwd.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    assert "grass/passwd.jpg" not in unpacked(tmp_path, archive)


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"top/data/grass/1.jpg": bytes(5_000_000)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(DataError, match="more bytes"):
        unpacked(tmp_path, archive, room=1_000_000)


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"top/data/grass/1.jpg": bytes(range(256)) * 50})
    content = bytearray(archive.read_bytes())
    content[60] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"set\.zip is damaged"):
        unpacked(tmp_path, archive)
    archive.write_bytes(b"<html>not found</html>")
    (tmp_path / "more").mkdir()
    with pytest.raises(DataError, match=r"set\.zip is damaged"):
        unpacked(tmp_path / "more", archive)


def test_missing_classes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no moss"):
        unpacked(tmp_path, packed(tmp_path, GOOD), ("moss", "grass"))


def test_the_tree_id_is_gits(tmp_path: Path) -> None:
    for name, content in {"b.jpg": b"1", "b/x": b"2", "b-c": b"3", "ä.jpg": b"4", "empty": b""}.items():
        path = tmp_path / "set" / name.replace("b/x", "b.d/x")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git = ["git", "-C", str(tmp_path / "set")]
    expected = git_tree(tmp_path / "set")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    written = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True)
    assert expected == written.stdout.strip()
