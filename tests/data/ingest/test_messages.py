"""Each situation in which photos cannot be read or used, with the message and a remedy that fits it.

The layouts of folders have a table of their own, in ``tests/data/test_folder_layouts.py``.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.errors import PhytoflowError
from tests.support import bad_files as bad
from tests.support.photo_folder import encoded, make_folder, picture, write
from tests.support.services.cutting_server import Behaviour, serve

Situation = Callable[[Path], dict[str, object] | None]


def healthy(root: Path) -> Path:
    return make_folder(root, {"healthy": 5})


def rust(content: bytes, name: str = "1.jpg") -> Situation:
    """A class of one photo, next to a healthy one."""
    return lambda root: write(healthy(root) / "rust" / name, content) and None


def with_settings(**settings: object) -> Situation:
    def make(root: Path) -> dict[str, object]:
        make_folder(root, {"healthy": 5, "rust": 5}, first_seed=50)
        return settings

    return make


def table(name: str, content: str, setting: str) -> Situation:
    def make(root: Path) -> dict[str, object]:
        make_folder(root, {"healthy": 5, "rust": 5}, first_seed=50)
        return {setting: str(write(root.parent / name, content.encode()))}

    return make


def locked(root: Path) -> None:
    healthy(root).chmod(0)


def locked_class(root: Path) -> None:
    write(healthy(root) / "rust" / "1.jpg", bad.JPEG).parent.chmod(0)


def locked_photos(root: Path) -> None:
    write(healthy(root) / "rust" / "1.jpg", bad.JPEG).chmod(0)


def broken_links(root: Path) -> None:
    (healthy(root) / "rust").mkdir()
    (root / "rust" / "1.jpg").symlink_to("/mnt/disk/1.jpg")


def two_photos(root: Path) -> None:
    make_folder(root, {"healthy": 5, "rust": 2})


def one_leaf(root: Path) -> None:
    for quality in (60, 70, 80, 90):
        write(healthy(root) / "rust" / f"{quality}.jpg", encoded(picture(1), quality=quality))


def groups_across_classes(root: Path) -> dict[str, object]:
    make_folder(root, {"healthy": 3, "rust": 3}, first_seed=50)
    rows = "".join(f"{label}/{n}.jpg,{n % 2}\n" for label in ("healthy", "rust") for n in range(3))
    return {"groups_csv": str(write(root.parent / "groups.csv", f"path,group\n{rows}".encode()))}


SITUATIONS: dict[str, tuple[Situation, str, str]] = {
    "no such folder": (lambda root: None, "no folder of photos at .*/photos", "check the path"),
    "an archive instead of a folder": (
        lambda root: write(root, b"PK\x03\x04") and None,
        "/photos is a file, not a folder of photos",
        "unpack it",
    ),
    "a folder that may not be read": (locked, "cannot be listed: Permission denied", "right to read"),
    "a class folder that may not be read": (
        locked_class,
        r"no photo of the class rust .* 1 unreadable folder \(rust\)",
        "right to read the folder",
    ),
    "photos that may not be read": (
        locked_photos,
        r"no photo of the class rust .* 1 unreadable \(rust/1.jpg\)",
        "right to read the files",
    ),
    "links to a disk that is not mounted": (broken_links, "1 broken link", "mount or copy"),
    "damaged photos": (rust(bad.JPEG[:300]), r"1 (truncated|corrupt) \(rust/1.jpg\)", "image viewer"),
    "empty files": (rust(b""), r"1 empty \(rust/1.jpg\)", "image viewer|copy"),
    "photos that are too small": (rust(encoded(picture(1, 8, 8))), "1 too small", "data.min_side"),
    "photos of too many pixels": (
        rust(bad.png_claiming(60_000, 60_000), "1.png"),
        "1 too many pixels",
        "max_pixels",
    ),
    "photos in a format that is not read": (
        rust(b"8BPS\x00\x01" + bytes(40), "1.psd"),
        r"no photo of the class rust .* \(rust/1.psd\)",
        "JPEG",
    ),
    "a class of two photos": (
        two_photos,
        r"rust \(2 photos showing 2 different things\)",
        "^add photos of other plants to that class, or leave the class out$",
    ),
    "a class of one leaf": (
        one_leaf,
        r"rust \(4 photos showing 1 different things\)",
        "near_duplicate_max_distance",
    ),
    "groups across classes": (
        groups_across_classes,
        "too few photos|leave no way to split",
        "data.groups_csv",
    ),
    "no file of groups": (
        with_settings(groups_csv="/none/groups.csv"),
        "cannot read /none/groups.csv: No such file",
        "check the path",
    ),
    "groups of other photos": (
        table("groups.csv", "path,group\nother/1.jpg,a\n", "groups_csv"),
        "names 1 paths that are no readable photos: other/1.jpg",
        "relative to the photos' folder",
    ),
    "a pattern that fits no name": (
        with_settings(group_pattern=r"(leaf\d+)"),
        "matches none of the file names, such as '0.jpg'",
        "correct the pattern",
    ),
    "labels of other photos": (
        table("labels.csv", "path,label\nother/1.jpg,a\n", "labels_csv"),
        "names none of the 10 files in the folder: it has other/1.jpg",
        "seen from the folder of photos, e.g. healthy/0.jpg",
    ),
    "labels in columns of their own": (
        table("labels.csv", "path,healthy,rust\nhealthy/0.jpg,1,0\n", "labels_csv"),
        "needs the columns path and label; it has path, healthy, rust",
        "columns path,label",
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_message_names_it_and_the_remedy_fits(open_folder: Path, name: str) -> None:
    situation, message, remedy = SITUATIONS[name]
    root = open_folder / "photos"
    settings = situation(root) or {}
    is_root = os.geteuid() == 0 and situation in (locked, locked_class, locked_photos)
    if is_root:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(PhytoflowError, match=message) as refusal:
            prepare(
                str(root),
                DataSettings(threads=1, **settings),  # type: ignore[arg-type]
                Preprocessing(size=32),
                0,
                open_folder / "out",
            )
    finally:
        if is_root:
            os.seteuid(0)
        for folder in (root, root / "rust"):
            if folder.is_dir():
                folder.chmod(0o755)
    assert re.search(remedy, refusal.value.remedy), refusal.value.remedy
    assert not (open_folder / "out").exists()


def zipped(**options: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:  # type: ignore[call-overload]
        archive.writestr("a/1.jpg", bad.JPEG)
    return buffer.getvalue()


def encrypted() -> bytes:
    """A zip file whose member claims to be encrypted: the flag is set in both of its headers."""
    content = bytearray(zipped())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    return bytes(content)


def unknown_compression() -> bytes:
    content = bytearray(zipped())
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + at] = 9  # Deflate64, as Windows' Explorer writes large files
    return bytes(content)


ARCHIVES: dict[str, tuple[bytes, list[int], str, str]] = {
    "a page": (b"<html>", [], "neither a zip nor a tar", "the archive itself"),
    "a damaged archive": (zipped()[:-8], [], "neither a zip nor a tar|damaged", "again|check the address"),
    "an encrypted archive": (encrypted(), [], "is encrypted", "unpack it yourself and give the folder"),
    "Deflate64": (unknown_compression(), [], "compression", "unpack it yourself and give the folder"),
    "no such file": (b"", [404], "answers 404", "check the address"),
    "no right to it": (b"", [403], "answers 403", "check the address"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_on_the_web(tmp_path: Path, name: str) -> None:
    content, refusals, message, remedy = ARCHIVES[name]
    with serve(Behaviour(files={"/set.zip": content})) as server:
        server.refusals = refusals
        with pytest.raises(PhytoflowError, match=message) as refusal:
            prepare(f"{server.url}/set.zip", DataSettings(), Preprocessing(size=32), 0, tmp_path / "out")
    assert re.search(remedy, refusal.value.remedy), refusal.value.remedy
