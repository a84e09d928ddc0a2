"""Accepted photos come from the real gateway into class folders, whatever happens on the way."""

from __future__ import annotations

import csv
import hashlib
import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.data.feedback.collect import HELD_OUT, Collected, Collector
from phytoflow.data.feedback.held_out import HeldOutPhotos
from phytoflow.data.feedback.provenance import read_provenance
from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits
from phytoflow.data.ingest.scan import measure_look
from phytoflow.data.settings import DataSettings
from tests.support.golden import BUNDLE
from tests.support.photo_folder import encoded, picture
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.object_store import object_store
from tests.support.services.servers import running


@dataclass
class People:
    """Users of one gateway."""

    gateway: RunningGateway
    anna: GatewayClient
    ben: GatewayClient
    rita: GatewayClient

    def correct(self, content: bytes, label: str, user: GatewayClient | None = None) -> str:
        """A user corrects a photo; the id of its prediction."""
        answer = (user or self.anna).predict(content)
        (user or self.anna).feedback(answer.id, "label", label)
        return answer.id

    def accept(self, content: bytes, label: str, user: GatewayClient | None = None) -> str:
        """The same, and the reviewer accepts it."""
        id_ = self.correct(content, label, user)
        self.review(id_, label)
        return id_

    def review(self, id_: str, label: str | None) -> None:
        with self.gateway.client("rita", "review") as client:
            assert client.post(f"/v1/review/{id_}", json={"label": label}).status_code == 200

    def collect(self, folder: str | Path, held_out: HeldOutPhotos | None = None) -> Collected:
        return Collector(self.rita, self.gateway.url, folder, held_out, DataSettings()).collect()


@pytest.fixture(scope="module")
def predictor_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(BUNDLE, tmp_path_factory.mktemp("predictor") / "log", inference_threads=1) as predictor:
        yield predictor.url


@pytest.fixture(scope="module")
def people(predictor_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    gateway = start_gateway(tmp_path_factory.mktemp("gateway"), predictor_url)
    clients = [
        GatewayClient(gateway.url, gateway.token(name, scopes))
        for name, scopes in (
            ("anna", "predict feedback"),
            ("ben", "predict feedback"),
            ("rita", "predict feedback review"),
        )
    ]
    yield People(gateway, *clients)
    for client in clients:
        client.close()
    gateway.stop()


def leaf(seed: int) -> bytes:
    return encoded(picture(seed, 160, 120), quality=92)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def photos(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.glob("*/*")}


def test_only_accepted_photos_come_with_where_they_are_from(people: People, tmp_path: Path) -> None:
    id_ = people.accept(leaf(1), "Rost, früh")
    people.correct(leaf(2), "rust")  # nobody has accepted it
    people.review(people.correct(leaf(3), "rust"), None)  # rejected
    outcome = people.collect(tmp_path)
    path = f"Rost, früh/feedback-{id_}.jpg"
    assert photos(tmp_path) == {path} and (outcome.new, outcome.removed) == (1, 0)
    content = (tmp_path / path).read_bytes()
    assert (np.asarray(decode(content)) == np.asarray(decode(leaf(1)))).all()  # to the last pixel
    (row,) = rows(tmp_path / "provenance.csv")
    prediction = people.rita.prediction(id_)
    assert (row["path"], row["prediction_id"], row["label"]) == (path, id_, "Rost, früh")
    assert (row["predicted"], row["model_version"]) == (prediction.prediction, prediction.model.version)
    assert row["photo_sha256"] == hashlib.sha256(leaf(1)).hexdigest() and len(row["user"]) == 12
    assert row["file_sha256"] == hashlib.sha256(content).hexdigest()
    assert rows(tmp_path / "groups.csv") == [{"path": path, "group": f"feedback-{id_}"}]


def test_again_it_brings_the_data_set_up_to_date(people: People, tmp_path: Path) -> None:
    (tmp_path / "rust").mkdir()
    (tmp_path / "rust" / "own.jpg").write_bytes(leaf(99))
    one, two = people.accept(leaf(11), "rust"), people.accept(leaf(12), "rust", people.ben)
    first = people.collect(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]  # the tables too
    before = {file: file.stat().st_mtime_ns for file in files}
    assert people.collect(tmp_path).new == 0
    assert {file: file.stat().st_mtime_ns for file in files} == before
    people.review(one, "scab")  # the reviewer thinks again
    people.review(two, None)
    third = people.accept(leaf(13), "rust")
    outcome = people.collect(tmp_path)
    assert (outcome.new, outcome.removed) == (2, 2)
    assert len(outcome.photos) == len(first.photos)
    found = photos(tmp_path)
    assert {f"scab/feedback-{one}.jpg", f"rust/feedback-{third}.jpg", "rust/own.jpg"} <= found
    assert not any(two in path or path == f"rust/feedback-{one}.jpg" for path in found)


def test_a_killed_call_is_repeated(people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (21, 22, 23):
        people.accept(leaf(seed), "healthy")
    fetch, fetched = people.rita.photo, []

    def killed_at_the_second(id_: str) -> bytes:
        fetched.append(id_)
        if len(fetched) == 2:
            raise KeyboardInterrupt
        return fetch(id_)

    monkeypatch.setattr(people.rita, "photo", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        people.collect(tmp_path)
    stray = tmp_path / "healthy" / f"feedback-{'0' * 32}.jpg"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of a process that died before it noted this file")
    outcome = people.collect(tmp_path)
    listed = {photo.path for photo in read_provenance(tmp_path)}
    assert photos(tmp_path) == listed == {photo.path for photo in outcome.photos} and not stray.exists()


def test_a_data_set_in_an_object_store_is_that_of_a_folder(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = people.accept(leaf(24), "rust"), people.accept(leaf(25), "scab")
    (tmp_path / "leaves").mkdir()
    with object_store(tmp_path, monkeypatch):
        people.collect("s3://leaves/photos")
        (tmp_path / "leaves/photos/rust" / f"feedback-{'1' * 32}.jpg").write_bytes(b"of a killed process")
        people.review(one, None)
        people.review(two, "rust")
        people.collect("s3://leaves/photos")
    people.collect(tmp_path / "folder")
    for name in ("provenance.csv", "groups.csv", "skipped.csv"):
        assert (tmp_path / "leaves/photos" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()
    found = photos(tmp_path / "leaves/photos")
    assert found == photos(tmp_path / "folder")
    assert f"rust/feedback-{two}.jpg" in found and not any(one in path for path in found)


def test_no_test_photo_gets_in_whatever_was_done_to_it(people: People, tmp_path: Path) -> None:
    held = picture(31, 320, 240)
    smaller = encoded(held.resize((200, 150), Image.Resampling.LANCZOS), quality=60)
    brighter = encoded(Image.fromarray((np.asarray(held) * 0.8).astype(np.uint8)), "PNG")
    same = encoded(held, quality=95)
    ids = [people.accept(content, "rust") for content in (same, smaller, brighter)]
    other = people.accept(leaf(32), "rust")
    phash, _ = measure_look(same, Limits())
    held_out = HeldOutPhotos.of([(hashlib.sha256(same).hexdigest(), phash)])
    without = people.collect(tmp_path)
    assert set(ids) <= {photo.prediction_id for photo in without.photos}  # so far they may be used
    outcome = people.collect(tmp_path, held_out)  # now they are, and they leave
    assert {id_: outcome.skipped[id_] for id_ in ids} == dict.fromkeys(ids, HELD_OUT)
    assert any(other in path for path in photos(tmp_path))
    assert not any(id_ in path for path in photos(tmp_path) for id_ in ids)
    assert f"3 not collected: {HELD_OUT}" in outcome.lines()
    skipped = {row["prediction_id"]: row["reason"] for row in rows(tmp_path / "skipped.csv")}
    assert skipped == outcome.skipped


def test_what_the_gateway_deleted_stays(people: People, tmp_path: Path) -> None:
    with GatewayClient(people.gateway.url, people.gateway.token("carla")) as carla:
        erased, aged = people.accept(leaf(41), "rust", carla), people.accept(leaf(42), "rust")
        people.collect(tmp_path)
    with people.gateway.client("carla") as client:
        assert client.delete("/v1/account/data").status_code == 200
    with sqlite3.connect(people.gateway.directory / "gateway.db", timeout=30) as database:
        database.execute("update predictions set photo_stored = 0 where id = ?", (aged,))
    outcome = people.collect(tmp_path)
    assert outcome.gone == 2 and outcome.removed == 0
    assert all(any(id_ in path for path in photos(tmp_path)) for id_ in (erased, aged))
    assert "2 of them are no longer at the gateway and stay" in outcome.lines()


def test_a_photo_that_is_missing_at_the_gateway_is_named(people: People, tmp_path: Path) -> None:
    content = leaf(51)
    id_ = people.accept(content, "rust")
    list(people.rita.accepted())  # waits until it is written down
    (stored,) = (people.gateway.directory / "photos").rglob(f"{hashlib.sha256(content).hexdigest()}.*")
    stored.unlink()
    outcome = people.collect(tmp_path)
    assert outcome.skipped[id_] == "the gateway does not have its photo any more"
    assert not any(id_ in path for path in photos(tmp_path))


def test_a_user_who_is_no_reviewer_is_refused(people: People, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="scope 'review'"):
        Collector(people.anna, people.gateway.url, tmp_path / "set", None, DataSettings()).collect()
    assert not (tmp_path / "set").exists()


def test_a_photo_is_stored_without_its_place(people: People, tmp_path: Path) -> None:
    image, exif = picture(61, 160, 120), Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}  # GPS
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    id_ = people.accept(file.getvalue(), "rust")
    people.collect(tmp_path)
    with Image.open(tmp_path / "rust" / f"feedback-{id_}.jpg") as stored:
        assert not stored.getexif().get_ifd(0x8825)
