"""The REST clients against servers that misbehave in known ways; the real predictor is in tests/serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.client.prediction import RefusedError
from phytoflow.client.rest_client import AsyncClient, Client
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from tests.support.services.fake_predictor import FakePredictor, fake_predictor


def test_predictions_are_typed(fake: FakePredictor, tmp_path: Path) -> None:
    (tmp_path / "leaf.jpg").write_bytes(b"photo")
    with Client(fake.url) as client:
        first, second = client.predict([b"photo", tmp_path / "leaf.jpg"], top_k=2)
    assert first == second
    assert (first.label, first.score, first.labels) == ("scab", 0.8, ("scab", "rust"))
    assert (first.probabilities, first.milliseconds, first.model_version) == ((0.2, 0.8), 3.5, "7")
    assert fake.top_k == [2]


def test_http_is_assumed_when_the_url_names_no_scheme(fake: FakePredictor) -> None:
    with Client(fake.url.removeprefix("http://")) as client:
        assert client.predict([b"x"])[0].label == "scab"


def test_a_model_name_is_one_part_of_the_path(fake: FakePredictor) -> None:
    with Client(fake.url, "apple/leaf v2?") as client:
        client.predict([b"x"])
    assert fake.lines == ["POST /v2/models/apple%2Fleaf%20v2%3F/infer HTTP/1.1"]


def test_many_photos_go_in_several_requests(fake: FakePredictor) -> None:
    with Client(fake.url, max_photos_per_request=4) as client:
        assert len(client.predict([b"x"] * 10)) == 10
    assert fake.photos == [4, 4, 2]


def test_no_photos_send_no_request(fake: FakePredictor) -> None:
    with Client(fake.url) as client:
        assert client.predict([]) == []
    assert fake.lines == []


def test_overload_is_tried_again(fake: FakePredictor) -> None:
    fake.prepared = [(503, b"{}"), (503, b"{}")]
    with Client(fake.url, retries=3) as client:
        assert len(client.predict([b"x"])) == 1


def test_overload_that_stays_is_an_error(fake: FakePredictor) -> None:
    fake.prepared = [(503, b'{"error": "9 photos wait", "reason": "overloaded"}')] * 3
    with Client(fake.url, retries=2) as client, pytest.raises(RefusedError, match="9 photos wait") as caught:
        client.predict([b"x"])
    assert (caught.value.status, caught.value.reason) == (503, "overloaded")


def test_a_bad_photo_is_not_tried_again(fake: FakePredictor) -> None:
    fake.prepared = [(422, b'{"error": "photo 0: truncated", "reason": "truncated"}')]
    with Client(fake.url) as client, pytest.raises(RefusedError, match="photo 0: truncated") as caught:
        client.predict([b"x"])
    assert (caught.value.status, caught.value.reason) == (422, "truncated")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"outputs": []}', b"[]"])
def test_another_server_is_recognised(fake: FakePredictor, body: bytes) -> None:
    fake.prepared = [(200, body)]
    with Client(fake.url) as client, pytest.raises(ServingError, match="unexpected answer"):
        client.predict([b"x"])
    fake.prepared = [(200, b"<html>")]
    with Client(fake.url) as client, pytest.raises(ServingError, match="no metadata"):
        client.metadata()


def test_nobody_there() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", retries=1) as client:
        assert not client.ready()
        with pytest.raises(ServingError, match="cannot be reached"):
            client.predict([b"x"])


async def test_async_keeps_the_order_and_tries_again(fake: FakePredictor) -> None:
    fake.prepared = [(503, b"{}")]
    async with AsyncClient(fake.url, max_photos_per_request=3) as client:
        assert len(await client.predict([b"x"] * 8)) == 8
    assert sorted(fake.photos) == [2, 3, 3]


async def test_async_nobody_there() -> None:
    async with AsyncClient(f"http://127.0.0.1:{free_port()}", retries=1) as client:
        with pytest.raises(ServingError, match="cannot be reached"):
            await client.predict([b"x"])


async def test_this_machine_is_not_asked_through_a_proxy(proxy: FakePredictor) -> None:
    with fake_predictor() as predictor, Client(predictor.url, retries=0) as client:
        assert client.ready()
        assert client.predict([b"x"])[0].label == "scab"
        async with AsyncClient(predictor.url, retries=0) as other:
            assert (await other.predict([b"x"]))[0].label == "scab"
    assert proxy.lines == []


def test_a_proxy_that_answers_in_place_of_the_predictor_is_named(proxy: FakePredictor) -> None:
    with Client("http://leaf.example.com", retries=1) as client, pytest.raises(RefusedError) as caught:
        client.predict([b"x"])
    assert len(proxy.lines) == 2
    assert "HTTP 502 Bad Gateway" in caught.value.message
    assert "squid/5.7" in caught.value.message and f"the proxy {proxy.url}" in caught.value.message
    assert "add leaf.example.com to NO_PROXY" in caught.value.remedy


def test_a_login_page_of_a_proxy_is_no_prediction(proxy: FakePredictor) -> None:
    proxy.prepared = [(200, b"<html>Please log in</html>")]
    with Client("http://leaf.example.com") as client, pytest.raises(ServingError) as caught:
        client.predict([b"x"])
    assert f"the proxy {proxy.url}" in caught.value.message


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:secret@127.0.0.1:{free_port()}")
    with Client("http://leaf.example.com", retries=0) as client, pytest.raises(ServingError) as caught:
        client.predict([b"x"])
    assert "through the proxy http://127.0.0.1:" in caught.value.message
    assert "secret" not in str(caught.value)
