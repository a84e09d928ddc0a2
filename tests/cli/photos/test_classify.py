"""Many photos: good ones are answered, bad ones named, the rest of a folder listed as skipped."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from phytoflow.cli.photos.classifiers import PhotoSource, open_source
from phytoflow.cli.photos.classify import classify_photos
from phytoflow.errors import ConfigError, ServingError
from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.fake_predictor import fake_predictor


@pytest.fixture(scope="module")
def source(bundle: Path) -> PhotoSource:
    return open_source("", str(bundle), "leaf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty photos, one of them cut off, and a text."""
    root = tmp_path / "photos"
    root.mkdir()
    for number, photo in enumerate(pictures(20)):
        content = photo.content[:300] if number == 11 else photo.content
        (root / f"{number:02d}{Path(photo.path).suffix}").write_bytes(content)
    (root / "notes.txt").write_text("not a photo")
    return root


def classify(
    images: list[Path], source: PhotoSource, output: Path | None = None, as_json: bool = False
) -> int:
    return classify_photos(images, source, top_k=2, as_json=as_json, output=output)


def test_each_photo_has_a_line(
    folder: Path, source: PhotoSource, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert classify([folder], source) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 19
    assert lines[0].startswith(f"{folder}/00.jpeg: ") and any(name in lines[0] for name in CLASSES)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert f"{folder}/11.png: truncated" in caplog.text and "photo 0" not in caplog.text
    assert f"skipped 1 file, not a photo: {folder}/notes.txt" in caplog.text


def test_batches_give_what_single_photos_give(
    folder: Path, source: PhotoSource, capsys: pytest.CaptureFixture[str]
) -> None:
    classify([folder], source, as_json=True)
    together = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for photo in sorted(folder.glob("0*")):
        classify([photo], source, as_json=True)
    alone = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for one, other in zip(alone, together, strict=False):
        assert one["path"] == other["path"] and one["labels"] == other["labels"]
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_a_file_holds_what_could_not_be_classified_too(
    folder: Path, source: PhotoSource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.jsonl"
    assert classify([folder], source, output) == 1
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [Path(record["path"]).stem for record in records] == [f"{n:02d}" for n in range(20)]
    assert [n for n, record in enumerate(records) if "error" in record] == [11]
    assert capsys.readouterr().out == f"20 photos: {output}\n"


def test_missing_and_huge_files_are_named(
    tmp_path: Path, source: PhotoSource, caplog: pytest.LogCaptureFixture
) -> None:
    huge = tmp_path / "huge.jpg"
    huge.touch()
    with huge.open("r+b") as file:
        file.truncate(300 * 2**20)
    assert classify([tmp_path / "missing.jpg", huge], source) == 2
    assert "missing.jpg: No such file or directory" in caplog.text
    assert "huge.jpg: 314,572,800 bytes, more than the" in caplog.text


def test_a_folder_without_photos_is_an_error(tmp_path: Path, source: PhotoSource) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="no photo in") as caught:
        classify([tmp_path], source)
    assert "skipped 1 file, not a photo" in caught.value.remedy


def test_a_predictor_that_goes_away_writes_no_file(folder: Path, tmp_path: Path) -> None:
    with fake_predictor() as fake:
        source = open_source(fake.url, "", "leaf")
        fake.prepared = [(200, b"<html>")] * 9
        with pytest.raises(ServingError, match="unexpected answer"):
            classify([folder], source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
