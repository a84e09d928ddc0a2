"""One predictor for all tests that neither end it nor change its version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.inference.classifier import Classifier
from tests.support.servers import LIMITS, Server, running


@pytest.fixture(scope="session")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A predictor of the small bundle with low limits."""
    with running(bundle, tmp_path_factory.mktemp("server") / "log", **LIMITS) as made:
        yield made


@pytest.fixture(scope="session")
def offline(bundle: Path) -> Classifier:
    """The same bundle without a server."""
    return Classifier.load(bundle, "onnx", 1)
