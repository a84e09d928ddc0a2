"""Addresses that are accepted and refused, and who is named for a response that is not a predictor's."""

import httpx
import pytest

from phytoflow.client.rest_wire import RestWire
from phytoflow.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("leaf.example.com", "http://leaf.example.com"),
        ("https://leaf.example.com/plants", "https://leaf.example.com/plants"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_may_leave_out_http(given: str, url: str) -> None:
    assert RestWire(given, "leaf").url == url


@pytest.mark.parametrize(
    "given",
    ["", "http://", "ftp://leaf.example.com", "http://leaf:port", "http://a b", ":8080", "/out/bundle"],
)
def test_what_is_no_address_is_refused_before_it_is_asked(given: str) -> None:
    with pytest.raises(ConfigError, match="no address of a predictor") as caught:
        RestWire(given, "leaf")
    assert repr(given) in caught.value.message and "http://localhost:8080" in caught.value.remedy


def test_credentials_are_sent_and_not_told() -> None:
    wire = RestWire("http://user:secret@leaf.example.com", "leaf")
    error = wire.error_of(httpx.ConnectTimeout(""))
    assert wire.base_url.userinfo == b"user:secret"
    assert error and error.message == "http://leaf.example.com cannot be reached: ConnectTimeout"


def test_a_gateway_in_between_is_named() -> None:
    response = httpx.Response(404, headers={"server": "istio-envoy"}, content=b"")
    error = RestWire("https://leaf.example.com", "leaf").error_of(response)
    assert error and "istio-envoy answered, not a predictor" in error.message
    assert "check --model and the URL" in error.remedy


def test_a_refusal_of_the_predictor_names_nobody_else() -> None:
    response = httpx.Response(400, headers={"server": "uvicorn"}, json={"error": "photo 1: truncated"})
    error = RestWire("https://leaf.example.com", "leaf").error_of(response)
    assert error and error.message == "https://leaf.example.com refused: photo 1: truncated"


@pytest.mark.parametrize(
    ("outcome", "delay"),
    [
        (httpx.ConnectError("refused"), 0.0),
        (httpx.ReadTimeout("late"), 0.0),
        (httpx.TooManyRedirects("round"), None),
        (httpx.Response(503, headers={"Retry-After": "2"}), 2.0),
        (httpx.Response(503, headers={"Retry-After": "3600"}), 5.0),
        (httpx.Response(502), 0.0),
        (httpx.Response(500), None),
        (httpx.Response(404), None),
    ],
)
def test_only_what_may_pass_is_tried_again(outcome: httpx.Response | Exception, delay: float | None) -> None:
    assert RestWire("localhost:8080", "leaf").retry_after(outcome) == delay
