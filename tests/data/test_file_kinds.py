"""Files of sixty kinds in one folder: each is used, skipped or refused with a reason, and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.data.ingest.inspect import CheckedPhotos, check
from phytoflow.data.settings import DataSettings
from tests.data.images.test_formats import UNSUPPORTED
from tests.support import bad_files as bad
from tests.support.photo_files import PROFILES, heic, png_16, tiff_16
from tests.support.photo_folder import encoded, make_folder, picture

SETTINGS = DataSettings(threads=1)
PHOTO = picture(500, 120, 90)
GREY_12 = (np.asarray(PHOTO.convert("L")).astype(np.uint32) * 4095 // 255).astype(np.uint16)
COLOR_12 = (np.asarray(PHOTO).astype(np.uint32) * 4095 // 255).astype(np.uint16)
Kind = tuple[str, bytes | Callable[[Path], object]]


def _alpha() -> Image.Image:
    image = PHOTO.convert("RGBA")
    image.putalpha(PHOTO.convert("L"))
    return image


def _lab() -> Image.Image:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(PHOTO, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# Every kind of photo that is used: file name, content.
USED: dict[str, Kind] = {
    "JPEG": ("a.jpg", encoded(PHOTO)),
    "JPEG in upper case": ("A.JPG", encoded(PHOTO)),
    "JPEG, progressive": ("a.jpg", encoded(PHOTO, progressive=True)),
    "JPEG, grey": ("a.jpg", encoded(PHOTO.convert("L"))),
    "JPEG, CMYK": ("a.jpg", encoded(PHOTO.convert("CMYK"))),
    "JPEG, turned": ("a.jpg", encoded(PHOTO, exif=_exif(6))),
    "JPEG, mirrored": ("a.jpg", encoded(PHOTO, exif=_exif(7))),
    "JPEG in Display P3": ("a.jpg", encoded(PHOTO, icc_profile=PROFILES["Display P3"])),
    "JPEG in Adobe RGB": ("a.jpg", encoded(PHOTO, icc_profile=PROFILES["Adobe RGB (1998)"])),
    "JPEG with a broken profile": ("a.jpg", encoded(PHOTO, icc_profile=b"no profile")),
    "JPEG with damaged EXIF": ("a.jpg", bad.jpeg_with_bad_exif()),
    "JPEG with bytes after its end": ("a.jpg", encoded(PHOTO) + b"trailing" * 40),
    "JPEG named .png": ("a.png", encoded(PHOTO)),
    "JPEG without a suffix": ("a", encoded(PHOTO)),
    "MPO of two pictures": (
        "a.mpo",
        encoded(PHOTO, "MPO", save_all=True, append_images=[picture(501, 120, 90)]),
    ),
    "PNG": ("a.png", encoded(PHOTO, "PNG")),
    "PNG with alpha": ("a.png", encoded(_alpha(), "PNG")),
    "PNG, grey with alpha": ("a.png", encoded(_alpha().convert("LA"), "PNG")),
    "PNG with a palette": ("a.png", encoded(PHOTO.convert("P"), "PNG")),
    "PNG with a transparent palette": ("a.png", bad.palette_with_alpha()),
    "PNG of one bit": ("a.png", encoded(PHOTO.convert("1"), "PNG")),
    "PNG of 16 bits": ("a.png", bad.deep("PNG")),
    "PNG of 12 bits in 16": ("a.png", png_16(GREY_12)),
    "PNG of 12 bits, stated": ("a.png", png_16(GREY_12, significant_bits=12)),
    "PNG of 12 bits in colour": ("a.png", png_16(COLOR_12, significant_bits=12)),
    "PNG, animated": ("a.png", bad.animated("PNG")),
    "PNG in ProPhoto RGB": ("a.png", encoded(PHOTO, "PNG", icc_profile=PROFILES["ProPhoto RGB"])),
    "WebP": ("a.webp", encoded(PHOTO, "WEBP")),
    "WebP, lossless with alpha": ("a.webp", encoded(_alpha(), "WEBP", lossless=True)),
    "WebP, animated": ("a.webp", bad.animated("WEBP")),
    "TIFF": ("a.tif", encoded(PHOTO, "TIFF")),
    "TIFF, deflate": ("a.tiff", encoded(PHOTO, "TIFF", compression="tiff_deflate")),
    "TIFF, turned": ("a.tif", encoded(PHOTO, "TIFF", exif=_exif(8))),
    "TIFF, Lab": ("a.tif", encoded(_lab(), "TIFF")),
    "TIFF, CMYK": ("a.tif", encoded(PHOTO.convert("CMYK"), "TIFF")),
    "TIFF of several pages": ("a.tif", bad.animated("TIFF")),
    "TIFF of floats": ("a.tif", bad.float_tiff()),
    "TIFF of 12 bits, stated": ("a.tif", tiff_16(GREY_12, t281=4095)),
    "TIFF of 12 bits in colour": ("a.tif", tiff_16(COLOR_12, ">", deflate=True)),
    "BMP": ("a.bmp", encoded(PHOTO, "BMP")),
    "HEIC": ("a.heic", heic(PHOTO)),
    "HEIC, turned": ("a.HEIC", heic(PHOTO, orientation=6)),
    "HEIC of 10 bits": ("a.heif", heic(PHOTO, bit_depth=10)),
    "HEIC named .jpg": ("a.jpg", heic(PHOTO)),
    "AVIF": ("a.avif", encoded(PHOTO, "AVIF")),
}
# Every kind that is not: also all formats of UNSUPPORTED, under a photo's name.
REFUSED: dict[str, Kind] = {
    "nothing": ("a.jpg", b""),
    "noise": ("a.jpg", bytes(range(256)) * 8),
    "text": ("a.jpg", b"leaf 3 was wet\n" * 20),
    "JPEG, cut short": ("a.jpg", encoded(PHOTO)[:900]),
    "PNG, cut short": ("a.png", encoded(PHOTO, "PNG")[:900]),
    "PNG with a wrong checksum": ("a.png", bad.png_with_bad_checksum()),
    "WebP, cut short": ("a.webp", encoded(PHOTO, "WEBP")[:500]),
    "TIFF, cut short": ("a.tif", encoded(PHOTO, "TIFF")[:900]),
    "HEIC, cut short": ("a.heic", heic(PHOTO)[:900]),
    "AVIF, cut short": ("a.avif", encoded(PHOTO, "AVIF")[:300]),
    "icon of 8 pixels": ("a.png", encoded(PHOTO.resize((8, 8)), "PNG")),
    "bomb": ("a.png", bad.png_bomb()),
    "named pipe": ("a.jpg", bad.make_fifo),
    **{name: ("a.jpg", content) for name, content in UNSUPPORTED.items()},
}
KINDS = {**USED, **REFUSED}
UNSTATED = {"PNG of 12 bits in 16", "TIFF of 12 bits in colour"}


def test_there_are_sixty_kinds_and_more() -> None:
    assert len(KINDS) == len(USED) + len(REFUSED) >= 60


def _make(path: Path, maker: bytes | Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(maker, bytes):
        path.write_bytes(maker)
    else:
        maker(path)


def _folder(root: Path, kinds: dict[str, Kind]) -> dict[str, str]:
    """Eight good photos and one file a kind; returns the kinds by path."""
    make_folder(root, {"healthy": 4, "rust": 4})
    paths = {}
    for number, (kind, (name, maker)) in enumerate(kinds.items()):
        path = Path("rust") / f"{number:02d}" / name
        _make(root / path, maker)
        paths[path.as_posix()] = kind
    return paths


def _counts(checked: CheckedPhotos) -> tuple[int, int]:
    findings = checked.findings
    return findings.used + findings.skipped + findings.refused, findings.files


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    root = tmp_path_factory.mktemp("kinds") / "photos"
    return root, _folder(root, KINDS)


@pytest.fixture(scope="module")
def table(all_kinds: tuple[Path, dict[str, str]]) -> pd.DataFrame:
    checked = check(all_kinds[0], SETTINGS, seed=0)
    total, files = _counts(checked)
    assert total == files == len(KINDS) + 8
    rows = checked.table.assign(kind=checked.table["path"].map(all_kinds[1]))
    return rows[rows["kind"].notna()].set_index("kind")


def test_every_file_has_its_row(table: pd.DataFrame) -> None:
    assert set(table.index) == set(KINDS)


@pytest.mark.parametrize("kind", USED)
def test_a_photo_is_used(table: pd.DataFrame, kind: str) -> None:
    row = table.loc[kind]
    # Photos of one picture in several formats are copies to the eye, not to the bytes.
    assert row["reason"] == "" or row["reason"].startswith("duplicate of"), row["reason"]
    upright = kind.endswith(("turned", "mirrored"))
    assert (row["width"], row["height"]) == ((90, 120) if upright else (120, 90))
    # In a set with photos of 16 bits those of 12 that do not say so are dark, and a warning names them.
    assert row["brightness"] > 0.02 or kind in UNSTATED


def test_photos_that_stay_dark_are_named(all_kinds: tuple[Path, dict[str, str]]) -> None:
    root, kinds = all_kinds
    finding = check(root, SETTINGS, seed=0).findings.of("mixed depth")
    assert finding is not None and finding.level == "warning"
    assert {kinds[name.rpartition(":")[0]] for name in finding.files} == UNSTATED


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_photo_is_left_out_with_a_reason(table: pd.DataFrame, kind: str) -> None:
    row = table.loc[kind]
    assert row["reason"] and row["split"] == "excluded"
    if kind in UNSUPPORTED:
        assert row["reason"].startswith("unsupported_format: ") and kind in row["reason"]


def test_the_command_says_how_many_files_and_shows_no_traceback(
    all_kinds: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["data", "check", str(all_kinds[0])])
    assert result.exit_code == 0, result.output
    assert "Traceback" not in result.output
    assert f"of {len(KINDS) + 8} files are used" in " ".join(result.output.split())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_files_of_every_kind_are_counted(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bytes are cut off, changed and put in: whatever comes of it, no file is lost and nothing is raised."""
    root = tmp_path_factory.mktemp("damaged") / "photos"
    names = data.draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5, unique=True))
    damaged: dict[str, Kind] = {}
    for name in names:
        file, content = KINDS[name]
        if isinstance(content, bytes):
            damaged[name] = (file, _damage(data, content))
    _folder(root, damaged)
    total, files = _counts(check(root, SETTINGS, seed=0))
    assert total == files == len(damaged) + 8


def _damage(data: st.DataObject, content: bytes) -> bytes:
    end = data.draw(st.integers(0, len(content)))
    changed = bytearray(content[: end or len(content)])
    for _ in range(data.draw(st.integers(0, 8))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    return bytes(changed)
