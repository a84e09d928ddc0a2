"""One predictor for all tests that neither end it nor change its version, and one engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.inference.classifier import Classifier
from serving.predictor.engine.engine import Engine
from serving.predictor.options import Options
from tests.support import golden
from tests.support.services.servers import LIMITS, Server, running


@pytest.fixture(scope="session")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A predictor of the small bundle with low limits."""
    with running(bundle, tmp_path_factory.mktemp("server") / "log", **LIMITS) as made:
        yield made


@pytest.fixture(scope="session")
def offline(bundle: Path) -> Classifier:
    """The same bundle without a server."""
    return Classifier.load(bundle, "onnx", 1)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine of the golden bundle: three classes, OOD statistics, limits of a real predictor."""
    options = Options(str(golden.BUNDLE), inference_threads=1, max_batch_size=2)
    made = Engine(Classifier.load(golden.BUNDLE, "onnx", 1), options)
    yield made
    asyncio.run(made.drain())
