"""What the documented commands find: a photo, photos in class folders, a bundle, and a predictor."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import TEST_PHOTOS
from tests.support.documents import ROOT
from tests.support.make_bundle import pictures
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server, running


@pytest.fixture(scope="module")
def predictor(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(bundle, root / "apple" / "2")
    options = {"bundle_repository": root, "model_name": "leaf", "model_control_mode": "explicit"}
    with running(bundle, root / "log", **options) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    running = start_gateway(tmp_path_factory.mktemp("gateway"), predictor.url)
    yield running
    running.stop()


@pytest.fixture
def workspace(bundle: Path, tmp_path: Path) -> Path:
    """A folder with ``leaf.jpg``, ``photos/CLASS/``, ``out/bundle`` and the checkout's ``serving``."""
    folder = tmp_path / "workspace"
    shutil.copytree(bundle, folder / "out" / "bundle")
    digest = hashlib.sha256(pictures()[0].content).hexdigest()
    (folder / "out" / "bundle" / TEST_PHOTOS).write_text(f"sha256,phash\n{digest},{'0' * 16}\n")
    for index, photo in enumerate(pictures(24)):  # two photos of each of four plants a class
        plant, suffix = index // 6 * 3 + index % 3, Path(photo.path).suffix
        file = folder / "photos" / photo.label / f"plant{plant}_{index}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo.content)
    (folder / "leaf.jpg").write_bytes(pictures()[0].content)
    (folder / "serving").symlink_to(ROOT / "serving")
    return folder


@pytest.fixture
def environment() -> dict[str, str]:
    """As after ``. .venv/bin/activate``."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
