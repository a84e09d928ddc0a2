import hashlib
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError
from tests.support.photo_files import png_16
from tests.support.photo_folder import encoded, make_folder, picture, write

SETTINGS = DataSettings(threads=2, shard_bytes=20_000)
SMALL = Preprocessing(size=28)  # shorter side 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"rust": 20, "healthy": 30})


def test_the_folder_holds_everything(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(root / "rust" / "bad.jpg", b"")
    with caplog.at_level(logging.INFO):
        facts = prepare(str(root), SETTINGS, SMALL, 3, tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.summary == facts
    assert facts.classes == ("healthy", "rust")
    assert facts.counts == {
        "train": {"healthy": 21, "rust": 14},
        "validation": {"healthy": 3, "rust": 2},
        "test": {"healthy": 6, "rust": 4},
    }
    assert facts.groups == {"train": 35, "validation": 5, "test": 10}
    assert json.loads((tmp_path / "out" / "class_mapping.json").read_text()) == {"0": "healthy", "1": "rust"}
    findings = Findings.model_validate_json((tmp_path / "out" / "findings.json").read_text())
    assert findings.used == 50
    assert (tmp_path / "out" / "data.html").read_text().startswith("<!doctype html>")
    table = dataset.table.set_index("path")
    assert tuple(table.loc["rust/bad.jpg", ["split", "reason"]]) == ("excluded", "empty")
    assert "50 of 51 files are used" in caplog.text and "rust/bad.jpg" in caplog.text
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}


def test_training_photos_are_resized_and_the_others_untouched(root: Path, tmp_path: Path) -> None:
    prepare(str(root), SETTINGS, SMALL, 0, tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    seen = {}
    for split in ("train", "validation", "test"):
        for photo in dataset.photos(split):
            seen[photo.path] = split
            original = (root / photo.path).read_bytes()
            if split == "train":
                assert min(decode(photo.content, Limits()).size) == 32
            else:
                assert photo.content == original
    assert seen == dataset.table.set_index("path")["split"].to_dict()


def test_training_photos_lie_mixed(root: Path, tmp_path: Path) -> None:
    prepare(str(root), SETTINGS, SMALL, 0, tmp_path / "out")
    labels = Dataset.open(tmp_path / "out").labels("train")
    assert labels != sorted(labels)


def test_the_hash_is_of_photos_and_splits_and_nothing_else(root: Path, tmp_path: Path) -> None:
    first = prepare(str(root), SETTINGS, SMALL, 0, tmp_path / "a").data_hash
    moved = shutil.copytree(root, tmp_path / "moved")
    write(moved / "rust" / "notes.txt", b"not used")
    assert prepare(str(moved), SETTINGS, SMALL, 0, tmp_path / "b").data_hash == first
    assert prepare(str(root), SETTINGS, SMALL, 1, tmp_path / "c").data_hash != first
    write(moved / "rust" / "0.jpg", encoded(picture(4)))
    assert prepare(str(moved), SETTINGS, SMALL, 0, tmp_path / "d").data_hash != first


def test_the_same_input_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        prepare(str(root), SETTINGS, SMALL, 0, tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    assert digests[0] == digests[1]


def test_a_photo_changed_meanwhile_stops_it_and_leaves_the_old_output(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(str(root), SETTINGS, SMALL, 0, tmp_path / "out")
    before = (tmp_path / "out" / "dataset.json").read_bytes()

    def page_while_somebody_writes(*_: object) -> str:
        write(root / "rust" / "1.jpg", b"changed")
        return ""

    monkeypatch.setattr("phytoflow.data.prepare.render_data_page", page_while_somebody_writes)
    with pytest.raises(DataError, match=r"rust/1\.jpg changed or vanished"):
        prepare(str(root), SETTINGS, SMALL, 1, tmp_path / "out")
    assert (tmp_path / "out" / "dataset.json").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}


def test_the_built_in_sample_needs_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "phytoflow.data.sources.resolve.make_synthetic_dataset",
        lambda folder, seed: make_folder(folder, {"a": 5, "b": 5}),
    )
    facts = prepare("sample", SETTINGS, SMALL, 0, tmp_path / "out")
    assert facts.classes == ("a", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_photos_of_12_bits_in_16_are_as_bright_as_the_whole_set_says(tmp_path: Path) -> None:
    """Their files state no depth; one dark photo among them is not brightened by itself."""
    current = SMALL.with_current_decoder()
    for number in range(30):
        grey = np.asarray(picture(number).convert("L")).astype(np.uint16) * 16 // (8 if number == 7 else 1)
        write(tmp_path / "photos" / ("rust" if number % 2 else "scab") / f"{number}.png", png_16(grey))
    summary = prepare(str(tmp_path / "photos"), SETTINGS, current, 0, tmp_path / "out")
    assert summary.preprocessing.sample_bits == 12
    dataset = Dataset.open(tmp_path / "out")
    for split in ("train", "validation", "test"):
        for photo in dataset.photos(split):
            number = int(Path(photo.path).stem)
            pixels = np.asarray(dataset.summary.preprocessing.open(photo.content), float)
            expected = np.asarray(picture(number).convert("L"), float).mean() / (8 if number == 7 else 1)
            assert abs(pixels.mean() - expected) < 3, photo.path
    findings = Findings.model_validate_json((tmp_path / "out" / "findings.json").read_text())
    assert findings.of("low depth") is not None
    brightness = dataset.table.set_index("path")["brightness"]
    assert brightness["rust/7.png"] < 0.1
