"""The real gateway before the real predictor, one for all tests of its clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.golden import BUNDLE
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with running(BUNDLE, folder / "predictor.log", inference_threads=1) as predictor:
        gateway = start_gateway(folder, predictor.url)
        yield gateway
        gateway.stop()
