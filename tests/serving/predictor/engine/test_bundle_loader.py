"""Bundles by name, fetched and discarded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, StorageError
from serving.predictor.engine.bundle_loader import BundleLoader
from serving.predictor.options import Options


@pytest.fixture
def repository(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "repository" / "apple" / "2")
    return tmp_path / "repository"


def loader(bundle: Path, tmp_path: Path, repository: Path | None = None) -> BundleLoader:
    root = str(repository) if repository else ""
    options = Options(str(bundle), bundle_repository=root, runtime="onnx", inference_threads=1)
    return BundleLoader(options, tmp_path / "fetched")


def test_no_name_opens_the_bundle_given_at_startup(bundle: Path, tmp_path: Path) -> None:
    classifier = loader(bundle, tmp_path).open()
    assert classifier.bundle.manifest == Bundle.load(bundle).manifest


def test_a_name_is_a_folder_of_the_repository(bundle: Path, tmp_path: Path, repository: Path) -> None:
    classifier = loader(bundle, tmp_path, repository).open("apple/2")
    assert classifier.bundle.path == repository / "apple" / "2"


@pytest.mark.parametrize(
    "name", ["../bundle", "/etc", "apple//2", "apple/../..", ".hidden", "a" * 257, "a\n"]
)
def test_a_name_cannot_lead_out_of_the_repository(
    bundle: Path, tmp_path: Path, repository: Path, name: str
) -> None:
    with pytest.raises(BundleError, match="named by folders in the repository"):
        loader(bundle, tmp_path, repository).open(name)


def test_nor_can_a_link(bundle: Path, tmp_path: Path, repository: Path) -> None:
    (repository / "link").symlink_to(bundle)
    with pytest.raises(BundleError, match="leads out"):
        loader(bundle, tmp_path, repository).open("link")


def test_without_a_repository_there_are_no_other_bundles(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        loader(bundle, tmp_path).open("apple/2")
    assert "--bundle_repository" in str(refused.value)


def test_a_bundle_that_is_not_there_leaves_nothing(bundle: Path, tmp_path: Path, repository: Path) -> None:
    with pytest.raises(StorageError):
        loader(bundle, tmp_path, repository).open("apple/3")
    assert not list((tmp_path / "fetched").glob("*"))


def test_fetched_files_are_discarded_and_others_stay(bundle: Path, tmp_path: Path) -> None:
    made = loader(bundle, tmp_path)
    local = made.open()
    made.discard(local)
    assert (bundle / "bundle.json").exists()
    shutil.copytree(bundle, tmp_path / "fetched" / "x")
    fetched = loader(tmp_path / "fetched" / "x", tmp_path).open()
    made.discard(fetched)
    assert not (tmp_path / "fetched" / "x").exists()
