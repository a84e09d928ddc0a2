import io

from PIL import Image
from typer.testing import CliRunner

from benchmarks.decoding.__main__ import app
from benchmarks.decoding.photos import large_photos, small_photos
from phytoflow.data.images.decode import __file__ as decoder


def test_the_table_has_a_row_a_photo_and_a_column_a_decoder() -> None:
    result = CliRunner().invoke(app, ["time", "--rounds", "1", "--against", decoder])
    assert result.exit_code == 0, result.output
    header, _, *rows = result.output.strip().splitlines()
    assert header.count("ms |") == 3
    assert [row.split("|")[1].strip() for row in rows] == list(small_photos())
    assert all(float(cell) > 0 for row in rows for cell in row.split("|")[2:6])


def test_large_photos_are_of_the_size_and_formats_they_claim() -> None:
    formats = {}
    for kind, content in large_photos((160, 120)):
        image = Image.open(io.BytesIO(content)) if kind != "HEIC" else None
        assert image is None or image.size == (160, 120)
        formats[kind] = content[4:12] if image is None else image.format
    assert formats.pop("HEIC") == b"ftypheic"
    assert list(formats.values()) == ["JPEG", "JPEG", "PNG", "TIFF", "AVIF", "WEBP"]
