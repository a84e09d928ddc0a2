"""`phytoflow monitor` on a folder of photos, a file of predictions and a gateway's database."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.cli.drift.monitor import monitor
from phytoflow.cli.main import COMMANDS
from phytoflow.errors import BundleError, ConfigError, DataError, StorageError
from phytoflow.monitoring.reference import load_reference
from phytoflow.ood.feature_statistics import FeatureStatistics
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
    assert "No drift found so far" in capsys.readouterr().out


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


@pytest.mark.parametrize(
    ("url", "error", "text"),
    [
        ("sqlite+aiosqlite:///missing.db", ConfigError, "there is no database missing.db"),
        ("sqlite:///gateway.db", ConfigError, "begins with sqlite\\+aiosqlite or"),
        ("s3://bucket/photos", ConfigError, "s3://bucket/photos is no database of a gateway"),
        ("postgresql+asyncpg://a:b:c", ConfigError, "no database URL"),
        ("sqlite+aiosqlite:///other.db", StorageError, "no such table"),
        (
            "postgresql+asyncpg://u:hidden@127.0.0.1:1/x",
            StorageError,
            r"u:\*\*\*@127.0.0.1:1/x: .*Connect call failed",
        ),
    ],
)
def test_a_database_that_cannot_be_read_is_named(
    watched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    error: type[Exception],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.db").touch()
    with pytest.raises(error, match=text) as refusal:
        monitor(url, watched)
    assert "hidden" not in str(refusal.value)
    assert not (tmp_path / "missing.db").exists()


def test_the_page_of_a_database_does_not_show_its_password(
    watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from phytoflow.cli.drift import sources

    log = photo_folder(tmp_path / "photos", leaf_photos(1000, 2))
    parts = list(sources.read_log(str(log), *_opened(watched)))
    monkeypatch.setattr(sources, "read_log", lambda *_: iter(parts))
    monitor("postgresql+asyncpg://anna:hidden@db/gateway", watched, tmp_path / "drift.html")
    page = (tmp_path / "drift.html").read_text()
    assert "anna:***@db/gateway" in page and "hidden@" not in page


def _opened(folder: Path) -> tuple[Bundle, FeatureStatistics | None]:
    bundle = Bundle.load(folder)
    return bundle, load_reference(bundle)[1]


def test_the_documented_database_is_that_of_a_stack() -> None:
    from phytoflow.stack.layout import DEFAULT_DIRECTORY
    from serving.gateway.settings import GatewaySettings

    url = GatewaySettings(directory=DEFAULT_DIRECTORY).database_url
    assert f"`{url}`" in (Path(__file__).parents[3] / "docs" / "explanation" / "monitoring.md").read_text()


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
        ("log.csv", "path,label,score\na,healthy\n", DataError, "holds no predictions of"),
        ("log.csv", "path,label,score\na,healthy,nan\n", DataError, "'nan' is no probability"),
        ("log.csv", "path,label,score\n", DataError, "log.csv holds no prediction"),
        ("log.csv", "\xff", DataError, "not a table of predictions"),
        ("log.jsonl", "\xff\n", DataError, "line 1, is not a prediction"),
        ("log.jsonl", '{"labels": [["healthy"]], "scores": [0.5]}\n', DataError, "holds no predictions of"),
    ],
)
def test_a_log_that_cannot_be_used_is_named(
    watched: Path, tmp_path: Path, name: str, content: str | None, error: type[Exception], text: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(error, match=text):
        monitor(str(tmp_path / name), watched)


def test_a_folder_without_photos_is_not_called_free_of_drift(watched: Path, tmp_path: Path) -> None:
    log = photo_folder(tmp_path / "photos", [])
    (log / "broken.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DataError, match="there is no photo in"):
        monitor(str(log), watched, tmp_path / "drift.html")
    assert not (tmp_path / "drift.html").exists()


def test_an_older_bundle_is_told(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no drift reference"):
        monitor(str(tmp_path), bundle)


def test_evidently_shows_each_value_in_detail(watched: Path, tmp_path: Path) -> None:
    log = photo_folder(tmp_path / "photos", leaf_photos(100, 60, brightness=0.4))
    monitor(str(log), watched, details=tmp_path / "details.html")
    page = (tmp_path / "details.html").read_text()
    assert all(name in page for name in ("confidence", "novelty", "component_1", "Dataset Drift"))
    loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(?!data:)([^\s\">]+)", page)
    assert not [address for address in loaded if "//" in address]  # a page to keep loads nothing


def test_details_need_evidently(watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    with pytest.raises(ConfigError, match="the detailed page needs Evidently") as refusal:
        monitor(str(tmp_path), watched, details=tmp_path / "details.html")
    assert "phytoflow[evidently]" in refusal.value.remedy


def test_without_details_no_pandas_is_needed(
    watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the predictor's extra nor the gateway's has it."""
    monkeypatch.delitem(sys.modules, "phytoflow.monitoring.evidently_report", raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    log = tmp_path / "log.json"
    log.write_text(json.dumps([{"path": "1.jpg", "labels": ["healthy"], "scores": [0.9], "novelty": 0.1}]))
    monitor(str(log), watched)
