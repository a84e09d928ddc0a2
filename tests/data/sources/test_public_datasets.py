import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.sources.git_archive import git_tree
from phytoflow.data.sources.public_datasets import (
    PUBLIC_DATASETS,
    PublicDataset,
    download_dataset,
    download_public_dataset,
)
from phytoflow.errors import DataError, StorageError
from tests.support.services.cutting_server import Behaviour, serve
from tests.support.shard_folder import photo

PHOTOS = {f"{label}/{n}.jpg": photo(n).content for n in range(4) for label in ("grass", "dandelion")}


def archive(photos: dict[str, bytes] = PHOTOS) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, photo_bytes in photos.items():
            file.writestr(f"repository-123/data/{name}", photo_bytes)
    return content.getvalue()


@pytest.fixture
def server() -> Iterator[Behaviour]:
    with serve(Behaviour(files={"/leaves.zip": archive()})) as behaviour:
        yield behaviour


@pytest.fixture
def trees(tmp_path: Path) -> dict[str, str]:
    for name, content in PHOTOS.items():
        (tmp_path / "known" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "known" / name).write_bytes(content)
    return {path.name: git_tree(path) for path in (tmp_path / "known").iterdir()}


def source(server: Behaviour, **fields: object) -> PublicDataset:
    known = {"url": f"{server.url}/leaves.zip", "below": "data", "trees": {}, "citation": "us"}
    return PublicDataset.model_validate({**known, "max_bytes": 10**6, **fields})


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.jpg")}


def test_a_set_arrives_and_says_where_from(server: Behaviour, tmp_path: Path, trees: dict[str, str]) -> None:
    server.cut_after, server.cuts = 5000, 2
    output = download_dataset("leaves", source(server, trees=trees), tmp_path / "sets" / "leaves")
    assert contents(output) == PHOTOS
    record = json.loads((tmp_path / "sets" / "leaves.fetched.json").read_text())
    assert record["verified"] is True
    assert record["trees"] == trees
    assert record["archive_sha256"] == hashlib.sha256(server.files["/leaves.zip"]).hexdigest()
    assert {p.name for p in (tmp_path / "sets").iterdir()} == {"leaves", "leaves.fetched.json"}


def test_content_other_than_the_known_is_refused(
    server: Behaviour, tmp_path: Path, trees: dict[str, str]
) -> None:
    server.files["/leaves.zip"] = archive({**PHOTOS, "grass/1.jpg": photo(9).content})
    with pytest.raises(DataError, match="photos of grass are not the known"):
        download_dataset("leaves", source(server, trees=trees), tmp_path / "leaves")
    assert {p.name for p in tmp_path.iterdir()} == {"known"}


def test_a_mirrors_hash_is_believed(server: Behaviour, tmp_path: Path) -> None:
    content = archive()  # made once: a zip knows its time
    digest = hashlib.sha256(content).hexdigest()
    server.files["/mirror/leaves.zip"] = content
    server.files["/mirror/leaves.zip.sha256"] = f"{digest}  leaves.zip\n".encode()
    mirror = f"{server.url}/mirror/"
    assert contents(download_dataset("leaves", source(server), tmp_path / "leaves", mirror)) == PHOTOS
    assert json.loads((tmp_path / "leaves.fetched.json").read_text())["verified"] is True
    server.altered = False
    server.files["/mirror/leaves.zip"] = archive({"grass/1.jpg": b"other"})
    with pytest.raises(StorageError, match="SHA-256"):
        download_dataset("leaves", source(server), tmp_path / "again", mirror)
    assert not (tmp_path / "again").exists()


def test_a_mirrors_hash_that_is_none_is_told(server: Behaviour, tmp_path: Path) -> None:
    server.files["/mirror/leaves.zip.sha256"] = b"<html>"
    with pytest.raises(StorageError, match="holds no SHA-256"):
        download_dataset("leaves", source(server), tmp_path / "leaves", f"{server.url}/mirror")


def test_the_first_download_is_trusted_and_later_ones_must_equal_it(
    server: Behaviour, tmp_path: Path
) -> None:
    output = download_dataset("leaves", source(server), tmp_path / "leaves")
    assert json.loads((tmp_path / "leaves.fetched.json").read_text())["verified"] is False
    output.rename(tmp_path / "first")
    download_dataset("leaves", source(server), output)
    output.rename(tmp_path / "second")
    server.files["/leaves.zip"] = archive({**PHOTOS, "moss/1.jpg": b"new class"})
    with pytest.raises(DataError, match="photos of moss") as error:
        download_dataset("leaves", source(server), output)
    assert "leaves.fetched.json" in error.value.remedy
    (tmp_path / "leaves.fetched.json").unlink()
    assert "moss/1.jpg" in contents(download_dataset("leaves", source(server), output))


def test_nothing_is_overwritten(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(DataError, match="not empty"):
        download_dataset("leaves", source(server), tmp_path)
    assert server.asked == []


def test_a_damaged_archive_is_not_kept(server: Behaviour, tmp_path: Path) -> None:
    server.files["/leaves.zip"] = archive()[:-30]
    with pytest.raises(DataError, match="damaged"):
        download_dataset("leaves", source(server), tmp_path / "leaves")
    assert list(tmp_path.iterdir()) == []


def test_a_download_cut_by_a_kill_goes_on(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / ".leaves.zip.part").write_bytes(archive()[:5000])
    assert contents(download_dataset("leaves", source(server), tmp_path / "leaves")) == PHOTOS
    assert server.asked == ["bytes=5000-"]


def test_a_mirror_of_dandelion_must_hold_its_photos(server: Behaviour, tmp_path: Path) -> None:
    """The public content is known whatever the mirror says."""
    server.files["/dandelion.zip"] = archive()
    with pytest.raises(DataError, match="dandelion, grass are not the known"):
        download_public_dataset("dandelion", tmp_path / "dandelion", server.url)


def test_sources_are_pinned_to_a_commit() -> None:
    for known in PUBLIC_DATASETS.values():
        assert known.url.startswith("https://")
        assert len(known.url.rpartition("/")[2]) == 40
        assert known.citation
