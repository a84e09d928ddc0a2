import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from phytoflow.data.sources.archive import class_root, unpack
from phytoflow.errors import DataError

FILES = {"leaves/rust/1.jpg": b"one", "leaves/healthy/2.jpg": b"two"}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def unpacked(archive: Path, room: int = 1000) -> dict[str, bytes]:
    to = archive.with_name("out")
    to.mkdir()
    unpack(archive, to, max_bytes=room)
    return {p.relative_to(to).as_posix(): p.read_bytes() for p in to.rglob("*") if p.is_file()}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_files_come_out_as_they_went_in_and_the_class_folders_are_found(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert unpacked(pack(tmp_path / "a", FILES)) == FILES
    assert class_root(tmp_path / "out") == tmp_path / "out" / "leaves"


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_a_name_that_leaves_the_folder_is_refused(pack, name: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="leaves its folder"):
        unpacked(pack(tmp_path / "a", {**FILES, name: b"evil"}))
    assert not list(tmp_path.parent.glob("evil"))


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_more_bytes_than_allowed_are_refused(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="more bytes"):
        unpacked(pack(tmp_path / "a", {"bomb": bytes(100_000)}), room=99_999)


def test_links_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as file:
        link = tarfile.TarInfo("rust/link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    assert unpacked(tmp_path / "a") == {}
    with zipfile.ZipFile(tmp_path / "b", "w") as zip_file:
        member = zipfile.ZipInfo("rust/link.jpg")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        zip_file.writestr(member, "/etc/passwd")
    (tmp_path / "to").mkdir()
    unpack(tmp_path / "b", tmp_path / "to", max_bytes=100)
    assert not any(path.is_symlink() for path in (tmp_path / "to").rglob("*"))


def test_what_is_no_archive_or_a_cut_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>not found</html>")
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="neither"):
        unpack(tmp_path / "page.html", tmp_path / "out", max_bytes=100)
    whole = tarred(tmp_path / "a", {"rust/1.jpg": bytes(range(256)) * 40}).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) - 30])
    with pytest.raises(DataError, match="damaged"):
        unpack(tmp_path / "cut", tmp_path / "out", max_bytes=100_000)
