"""Every kind of bad input ends as the validation promises: left out and listed, used, or refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.inspect import CheckedPhotos, check
from phytoflow.data.ingest.validate import kind_of
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError
from tests.support import bad_files as bad
from tests.support.photo_folder import encoded, make_folder, picture, write

SETTINGS = DataSettings(threads=1)
Maker = bytes | Callable[[Path], object]


def _unsupported(name: str) -> str:
    return f"unsupported_format: {name} is not supported"


# Left out: file name in the class "rust", how it is made, the reason given.
LEFT_OUT: dict[str, tuple[str, Maker, str]] = {
    "zero bytes": ("a.jpg", b"", "empty"),
    "truncated JPEG": ("a.jpg", bad.JPEG[: len(bad.JPEG) // 2], "truncated"),
    "JPEG of a header only": ("a.jpg", bad.JPEG[:200], "not_an_image|truncated|corrupt"),
    "JPEG of three bytes": ("a.jpg", b"\xff\xd8\xff", "not_an_image|truncated|corrupt"),
    "truncated PNG": ("a.png", bad.PNG[: len(bad.PNG) // 2], "truncated|corrupt"),
    "PNG with a wrong checksum": ("a.png", bad.png_with_bad_checksum(), "corrupt"),
    "PNG with a header only": ("a.png", bad.PNG[:33], "not_an_image|truncated|corrupt"),
    "truncated WebP": ("a.webp", encoded(bad.GOOD, "WEBP")[:500], "truncated|corrupt|not_an_image"),
    "truncated TIFF": ("a.tif", encoded(bad.GOOD, "TIFF")[:5000], "truncated|corrupt"),
    "truncated BMP": ("a.bmp", encoded(bad.GOOD, "BMP")[:5000], "truncated|corrupt"),
    "text named .jpg": ("a.jpg", b"this is no photo\n" * 20, "not_an_image"),
    "HTML named .jpg": (
        "a.jpg",
        b"<!doctype html><title>404 Not Found</title>",
        _unsupported("web page (HTML)"),
    ),
    "SVG named .png": (
        "a.png",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        _unsupported("SVG drawing"),
    ),
    "PDF named .jpg": (
        "a.jpg",
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        _unsupported("PDF"),
    ),
    "ZIP named .jpg": (
        "a.jpg",
        b"PK\x03\x04" + bytes(200),
        _unsupported("ZIP archive"),
    ),
    "noise named .jpg": ("a.jpg", bytes(range(256)) * 8, "not_an_image"),
    "notes among the photos": ("notes.txt", b"leaf 3 was wet", "not a photo"),
    "animated GIF named .jpg": ("a.jpg", bad.animated("GIF"), _unsupported("GIF")),
    "header of 30,000 x 30,000": ("a.png", bad.png_claiming(30_000, 30_000), "too_many_pixels"),
    "decompression bomb": ("a.png", bad.png_bomb(), "too_many_pixels"),
    "claims more than it holds": ("a.png", bad.png_claiming(300, 300, b"\x00" * 50), "truncated|corrupt"),
    "one pixel": ("a.png", encoded(Image.new("RGB", (1, 1)), "PNG"), "too_small"),
    "a line of pixels": ("a.png", encoded(Image.new("RGB", (4000, 2)), "PNG"), "too_small"),
    "a long film": ("a.mov", bad.make_sparse, "not a photo"),
    "too many bytes": ("a.jpg", bad.make_sparse, "too_many_bytes"),
    "hidden file": (".a.jpg", bad.JPEG, "hidden or system file"),
    "macOS .DS_Store": (".DS_Store", b"\x00\x00\x00\x01Bud1", "hidden or system file"),
    "macOS resource fork": ("._a.jpg", b"\x00\x05\x16\x07", "hidden or system file"),
    "Windows Thumbs.db": ("Thumbs.db", b"\xd0\xcf\x11\xe0", "hidden or system file"),
    "broken link": ("a.jpg", lambda path: path.symlink_to("nowhere.jpg"), "broken link"),
    "link to itself": ("a.jpg", lambda path: path.symlink_to("a.jpg"), "broken link"),
    "link to a parent folder": ("loop", lambda path: path.symlink_to(".."), "symbolic link loop"),
    "named pipe": ("a.jpg", bad.make_fifo, "not a regular file"),
    "socket": ("a.jpg", bad.make_socket, "not a regular file"),
    "link to a device": ("a.jpg", lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
}

SKIPPED = {"hidden or system file", "symbolic link loop", "not a regular file", "not a photo"}

# Used all the same: file name in the class "rust", how it is made, the finding that says so ("" for none).
USED: dict[str, tuple[str, Maker, str]] = {
    "PNG named .jpg": ("a.jpg", bad.PNG, "wrong extension"),
    "JPEG named .png": ("a.png", bad.JPEG, "wrong extension"),
    "no extension": ("a", bad.JPEG, "wrong extension"),
    "upper-case extension": ("A.JPG", bad.JPEG, ""),
    "CMYK JPEG": ("a.jpg", encoded(bad.GOOD.convert("CMYK")), ""),
    "grey JPEG": ("a.jpg", encoded(bad.GOOD.convert("L")), ""),
    "one-bit PNG": ("a.png", encoded(bad.GOOD.convert("1"), "PNG"), ""),
    "16 bit PNG": ("a.png", bad.deep("PNG"), ""),
    "16 bit TIFF": ("a.tif", bad.deep("TIFF"), ""),
    "float TIFF with a NaN": ("a.tiff", bad.float_tiff(), ""),
    "palette with alpha": ("a.png", bad.palette_with_alpha(), ""),
    "RGBA PNG": ("a.png", encoded(bad.GOOD.convert("RGBA"), "PNG"), ""),
    "animated WebP": ("a.webp", bad.animated("WEBP"), "animated"),
    "animated PNG": ("a.png", bad.animated("PNG"), "animated"),
    "TIFF of several pages": ("a.tif", bad.animated("TIFF"), "animated"),
    "damaged EXIF": ("a.jpg", bad.jpeg_with_bad_exif(), ""),
    "bytes after the end": ("a.jpg", bad.JPEG + b"trailing" * 50, ""),
    "composed and other Unicode": ("Löwenzahn 🌿 \u202eגן.jpg", bad.JPEG, ""),
    "name that is not UTF-8": (os.fsdecode(b"bl\xe4tter.jpg"), bad.JPEG, ""),
    "name with a new line": ("a\nb,\"c'.jpg", bad.JPEG, ""),
    "very long name": ("n" * 250 + ".jpg", bad.JPEG, ""),
    "nested folders": ("2024/may/a.jpg", bad.JPEG, ""),
    "folder named as a photo": ("x.jpg/a.jpg", bad.JPEG, ""),
    "link to a photo": (
        "a.jpg",
        lambda path: path.symlink_to(write(path.parents[2] / "away.jpg", bad.JPEG)),
        "outside the folder",
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"healthy": 4, "rust": 4})


def put(path: Path, maker: Maker) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(maker, bytes):
        path.write_bytes(maker)
    else:
        maker(path)


def added(checked: CheckedPhotos) -> pd.Series:
    """The one row that is not one of the eight good photos."""
    good = checked.table["path"].str.fullmatch(r"(healthy|rust)/\d\.jpg")
    assert good.sum() == 8
    assert (checked.table.loc[good, "split"] != "excluded").all(), "one bad file never costs a good one"
    (row,) = [row for _, row in checked.table[~good].iterrows()]
    return row


@pytest.mark.parametrize("kind", LEFT_OUT)
@pytest.mark.timeout(20)
def test_left_out_and_listed(root: Path, kind: str) -> None:
    name, maker, reason = LEFT_OUT[kind]
    put(root / "rust" / name, maker)
    checked = check(root, SETTINGS, seed=0)
    row = added(checked)
    assert row["split"] == "excluded"
    assert row["reason"] in reason.split("|")
    finding = checked.findings.of(kind_of(row["reason"]))
    assert finding is not None
    assert (finding.count, finding.files) == (1, (row["path"],))
    assert finding.level == ("skipped" if row["reason"] in SKIPPED else "refused")
    findings = checked.findings
    assert (findings.files, findings.used, findings.skipped + findings.refused) == (9, 8, 1)


@pytest.mark.parametrize("kind", USED)
def test_used_all_the_same(root: Path, kind: str) -> None:
    name, maker, noted = USED[kind]
    put(root / "rust" / name, maker)
    checked = check(root, SETTINGS, seed=0)
    row = added(checked)
    assert row["reason"] == ""
    assert (row["width"], row["height"], row["label"]) == (120, 90, "rust")
    assert row["path"].encode("utf-8")
    kinds = {finding.kind for finding in checked.findings.findings} - {"tiny class"}
    assert kinds == ({noted} if noted else set())


def test_everything_at_once_is_prepared_and_listed(root: Path, tmp_path: Path) -> None:
    for number, (name, maker, _) in enumerate([*LEFT_OUT.values(), *USED.values()]):
        put(root / "rust" / f"folder {number}" / name, maker)
    files = {path for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
    prepare(str(root), SETTINGS, Preprocessing(size=32), 0, tmp_path / "out")
    table = Dataset.open(tmp_path / "out").table
    assert len(table) == len(files)
    assert table["path"].is_unique
    assert (table.loc[table["split"] == "excluded", "reason"] != "").all()
    assert (table.loc[table["split"] != "excluded", "reason"] == "").all()
    used = sum(
        1 for split in ("train", "validation", "test") for _ in Dataset.open(tmp_path / "out").photos(split)
    )
    assert used == (table["split"] != "excluded").sum() > 20


def test_unreadable_permissions(open_folder: Path) -> None:
    """Root reads everything, so the scan runs in a process that gave up being root."""
    root = make_folder(open_folder / "photos", {"healthy": 4, "rust": 4})
    write(root / "rust" / "secret.jpg", bad.JPEG).chmod(0)
    write(root / "rust" / "locked" / "a.jpg", bad.JPEG).parent.chmod(0)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from phytoflow.data.settings import DataSettings\n"
        "from phytoflow.data.ingest.inspect import check\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "table = check(Path(sys.argv[1]), DataSettings(threads=1), 0).table\n"
        "print(dict(zip(table.path, table.reason)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=False
    )
    (root / "rust" / "locked").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "'rust/secret.jpg': 'unreadable: Permission denied'" in done.stdout
    assert "'rust/locked': 'unreadable folder: Permission denied'" in done.stdout


def test_exact_duplicates_keep_the_first(root: Path) -> None:
    again = (root / "rust" / "0.jpg").read_bytes()
    write(root / "rust" / "copy.jpg", again)
    row = added(check(root, SETTINGS, seed=0))
    assert (row["split"], row["reason"]) == ("excluded", "duplicate of rust/0.jpg")


def test_one_content_under_two_labels_is_used_under_neither(root: Path) -> None:
    for label in ("healthy", "rust"):
        write(root / label / "x.jpg", bad.JPEG)
    checked = check(root, SETTINGS, seed=0)
    excluded = checked.table[checked.table["split"] == "excluded"]
    assert list(excluded["path"]) == ["healthy/x.jpg", "rust/x.jpg"]
    assert list(excluded["reason"]) == [
        "the same content as rust/x.jpg, which is labelled rust",
        "the same content as healthy/x.jpg, which is labelled healthy",
    ]
    finding = checked.findings.of("label conflict")
    assert finding and finding.files == ("healthy/x.jpg (healthy) = rust/x.jpg (rust)",)
    assert finding.count == checked.findings.refused == 2


def test_near_duplicate_under_another_label_is_said_and_stays_in_one_split(root: Path) -> None:
    write(root / "healthy" / "x.jpg", encoded(bad.GOOD, quality=95))
    write(root / "rust" / "x.jpg", encoded(bad.GOOD.resize((240, 180)), quality=60))
    checked = check(root, SETTINGS, seed=0)
    finding = checked.findings.of("near-duplicate across labels")
    assert finding and finding.files == ("healthy/x.jpg (healthy) ~ rust/x.jpg (rust)",)
    pair = checked.table[checked.table["path"].str.endswith("x.jpg")]
    assert pair["group"].nunique() == pair["split"].nunique() == 1


def test_two_spellings_of_one_name_are_one_class(root: Path) -> None:
    """MacOS decomposes ö into o and a diaeresis; copied next to the composed name it is the same class."""
    for number, label in enumerate(["L\u00f6wenzahn", "Lo\u0308wenzahn"] * 2):
        write(root / label / f"{number}.jpg", encoded(picture(50 + number)))
    checked = check(root, SETTINGS, seed=0)
    assert checked.findings.classes == {"L\u00f6wenzahn": 4, "healthy": 4, "rust": 4}
    merged = checked.findings.of("merged classes")
    assert merged and "composed" in merged.files[0] and "decomposed" in merged.files[0]


def test_turned_photo_has_its_upright_size(root: Path) -> None:
    write(root / "rust" / "turned.jpg", bad.jpeg_turned())
    row = added(check(root, SETTINGS, seed=0))
    assert (row["width"], row["height"]) == (90, 120)


def test_empty_and_hidden_folders_and_loose_files(root: Path) -> None:
    (root / "empty").mkdir()
    write(root / ".git" / "a.jpg", bad.JPEG)
    write(root / "__MACOSX" / "a.jpg", bad.JPEG)
    write(root / "loose.jpg", bad.JPEG)
    checked = check(root, SETTINGS, seed=0)
    assert set(checked.findings.classes) == {"healthy", "rust"}
    empty = checked.findings.of("empty class")
    assert empty and empty.files == ("empty",)
    reasons = checked.table[checked.table["split"] == "excluded"].set_index("path")["reason"].to_dict()
    assert reasons == {
        ".git": "hidden or system file",
        "__MACOSX": "hidden or system file",
        "loose.jpg": "not in a class folder",
    }


def only(*labels: str) -> Callable[[Path], None]:
    return lambda root: make_folder(root, dict.fromkeys(labels, 4)) and None


def flat(root: Path) -> None:
    write(root / "1.jpg", bad.JPEG)


def all_unreadable(root: Path) -> None:
    for label in ("healthy", "rust"):
        write(root / label / "a.jpg", b"no photo")


def one_spoilt(root: Path) -> None:
    make_folder(root, {"healthy": 4})
    write(root / "rust" / "a.jpg", bad.JPEG[:300])


def two_photos(root: Path) -> None:
    make_folder(root, {"healthy": 9, "rust": 2})


def one_leaf_many_times(root: Path) -> None:
    make_folder(root, {"healthy": 9})
    for quality in range(60, 96, 4):
        write(root / "rust" / f"{quality}.jpg", encoded(bad.GOOD, quality=quality))


def same_everywhere(root: Path) -> None:
    for label in ("healthy", "rust"):
        make_folder(root, {label: 4}, first_seed=7)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such folder": (lambda root: None, "there is no folder of photos at"),
    "a file": (lambda root: write(root, bad.JPEG), "is a file, not a folder of photos"),
    "empty folder": (lambda root: root.mkdir(), "no class folders"),
    "photos side by side": (flat, "the 1 photos in .* lie side by side: there are no class folders"),
    "hidden folders only": (lambda root: write(root / ".cache" / "a.jpg", bad.JPEG), "no class folders"),
    "one class": (only("healthy"), "one class only in .*photos, healthy"),
    "empty classes": (lambda root: [(root / label).mkdir(parents=True) for label in "ab"], "holds no files"),
    "all unreadable": (
        all_unreadable,
        r"none of the 2 files in .*photos can be used: 2 not an image \(healthy/a.jpg, rust/a.jpg\)",
    ),
    "a class of damaged photos": (one_spoilt, "no photo of the class rust in .* can be used: 1 "),
    "a class of two photos": (two_photos, r"too few photos .* rust \(2 photos showing 2 different things\)"),
    "a class of one leaf": (
        one_leaf_many_times,
        r"too few photos .* rust \(9 photos showing 1 different things\)",
    ),
    "the same photos in each class": (
        same_everywhere,
        r"none of the 8 files .* 8 label conflict \(healthy/0.jpg: the same content as rust/0.jpg",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_before_anything_is_written(tmp_path: Path, kind: str) -> None:
    make, message = REFUSED[kind]
    make(tmp_path / "photos")
    with pytest.raises(DataError, match=message) as refusal:
        prepare(str(tmp_path / "photos"), SETTINGS, Preprocessing(size=32), 0, tmp_path / "out")
    assert refusal.value.remedy
    assert [path.name for path in tmp_path.iterdir() if path.name != "photos"] == []
