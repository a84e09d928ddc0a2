"""`phytoflow monitor` on a folder of photos, a file of predictions and a gateway's database."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.cli.drift.monitor import monitor
from phytoflow.cli.main import COMMANDS
from phytoflow.errors import BundleError, ConfigError, DataError
from tests.support.drift import bundle_with_reference, leaf_photos


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_with_reference(tmp_path_factory.mktemp("watched") / "bundle")


def photo_folder(folder: Path, contents: list[bytes]) -> Path:
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number:04d}.png").write_bytes(content)
    return folder


def test_it_is_a_command() -> None:
    assert "monitor" in COMMANDS["The whole service"]


def test_a_folder_of_darker_photos_raises_the_alarm(
    watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = photo_folder(tmp_path / "photos", leaf_photos(100, 60, brightness=0.4))
    (log / "broken.png").write_bytes(b"\x89PNG nothing")
    monitor(str(log), watched, tmp_path / "drift.html")
    page = (tmp_path / "drift.html").read_text()
    assert "Alarm at photo" in capsys.readouterr().out
    assert page.count("data:image/jpeg") >= 8 + len(Bundle.load(watched).manifest.probes)
    assert "What moved" in page


def test_a_folder_of_the_same_photos_raises_none(
    watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = photo_folder(tmp_path / "photos", leaf_photos(1000, 60))
    monitor(str(log), watched, tmp_path / "drift.json")
    result = json.loads((tmp_path / "drift.json").read_text())
    assert (result["photos"], result["alarm_at"], result["grade"]) == (60, 0, "none")
    assert "No drift" in capsys.readouterr().out


def test_files_of_predictions(watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = Bundle.load(watched).manifest.classes[0]
    rows = [{"path": f"{i}.jpg", "labels": [label], "scores": [0.3], "novelty": 3.0} for i in range(80)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"path": "x", "error": "damaged"}\n')
    monitor(str(log), watched)
    told = capsys.readouterr().out
    assert "80 photos" in told and "Unfamiliar" in told and "cannot be told" in told
    table = tmp_path / "log.csv"
    lines = [f"{i}.jpg,{label},0.3,false,3.0," for i in range(80)]
    table.write_text("path,label,score,known,novelty,error\n" + "\n".join(lines) + "\n")
    monitor(str(table), watched)
    assert capsys.readouterr().out == told


def test_a_gateway_database(watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = Bundle.load(watched).manifest.version
    url = f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}"
    asyncio.run(_fill(url, tmp_path, version, Bundle.load(watched).manifest.classes[0]))
    monitor(url, watched)
    assert "50 photos" in capsys.readouterr().out
    other = Bundle.load(watched).manifest.model_copy(update={"temperature": 1.7})
    with pytest.raises(DataError, match="no prediction of version"):
        list(_read(url, Bundle(watched, other)))


async def _fill(url: str, folder: Path, version: str, label: str) -> None:
    from phytoflow.protocol.prediction_id import new_id
    from serving.gateway.log.database import Database
    from serving.gateway.log.journal import Journal
    from serving.gateway.log.writer import LogWriter
    from tests.serving.gateway.log.test_writer import RECORD

    database = Database(url)
    await database.migrate()
    writer = LogWriter(database, Journal(folder / "journal", 2**20), 0.1)
    for number in range(50):
        features = np.full(8, number, np.float16)
        writer.add(replace(RECORD, id=new_id(number), label=label, model_version=version, features=features))
    await writer.close()
    await database.close()


def _read(url: str, bundle: Bundle) -> object:
    from phytoflow.cli.drift.database import read_database

    return read_database(url, bundle, None)


@pytest.mark.parametrize(
    ("name", "content", "error", "text"),
    [
        ("missing.csv", None, ConfigError, "there is no log"),
        ("log.txt", "x", ConfigError, "no known format"),
        ("log.jsonl", "{broken\n", DataError, "line 1, is not a prediction"),
        ("log.json", "3", DataError, "not a list of predictions"),
        ("log.csv", "path,label,score\na,triffid,0.5\n", DataError, "triffid"),
    ],
)
def test_a_log_that_cannot_be_used_is_named(
    watched: Path, tmp_path: Path, name: str, content: str | None, error: type[Exception], text: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=text):
        monitor(str(tmp_path / name), watched)


def test_an_older_bundle_is_told(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no drift reference"):
        monitor(str(tmp_path), bundle)
