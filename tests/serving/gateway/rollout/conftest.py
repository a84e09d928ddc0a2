"""A second real predictor, with another model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.make_bundle import pictures
from tests.support.services.servers import Server, running

PHOTOS = [photo.content for photo in pictures(12)]


@pytest.fixture(scope="session")
def champion(predictor: Server) -> Server:
    """The model that answers."""
    return predictor


@pytest.fixture(scope="session")
def other(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another model, which answers otherwise."""
    log = tmp_path_factory.mktemp("other") / "log"
    with running(bundle, log, inference_threads=1, model_name="leaf") as server:
        yield server
