"""Servers that the clients are tested against."""

from collections.abc import Iterator

import pytest

from tests.support.services.fake_predictor import FakePredictor, fake_predictor


@pytest.fixture
def fake() -> Iterator[FakePredictor]:
    with fake_predictor() as state:
        yield state


@pytest.fixture
def proxy(fake: FakePredictor, monkeypatch: pytest.MonkeyPatch) -> FakePredictor:
    """A proxy, named by the environment, that answers every request with 502 as Squid does."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, fake.url)
    for name in ("no_proxy", "NO_PROXY", "grpc_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    fake.headers = {"Via": "1.1 gate (squid/5.7)"}
    fake.prepared = [(502, b"<html>Bad Gateway</html>")] * 20
    return fake
