"""V2 over REST: its requests, and what responses and exceptions mean, a proxy's among them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import httpx

from phytoflow.client.exchange import Wire
from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction, RefusedError
from phytoflow.client.rest_codec import NOT_OURS, decode, encode
from phytoflow.client.retry import RETRIED_STATUSES, retry_after
from phytoflow.errors import ConfigError, ServingError
from phytoflow.protocol.proxies import http_proxy_of, is_direct

_REMEDIES = {503: "ask again in a moment, or start more predictors", 404: "check --model and the URL"}
_NO_PROXY = {"http://": None, "https://": None, "all://": None}  # hides the proxies of the environment


class RestRequest(NamedTuple):
    """An HTTP request; ``path`` is relative to the client's URL."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] | None = None


class RestWire(Wire[RestRequest, httpx.Response]):
    """V2 over REST; see ``exchange.Wire``.

    Args:
        url: Address of the predictor, with or without ``http://``.
        model: Name of the served model.

    Raises:
        ConfigError: This is no HTTP address.
    """

    exceptions = (httpx.HTTPError,)

    def __init__(self, url: str, model: str) -> None:
        self.base_url = parse_address(url, "a predictor", "http://localhost:8080")
        self.url = str(self.base_url.copy_with(username=None, password=None))  # for messages
        self._host = self.base_url.host
        self.path = f"/v2/models/{quote(model, safe='')}"
        self.mounts = proxy_mounts(self._host)
        self._proxy = http_proxy_of(self.url)

    def encode(self, photos: Sequence[Photo], parameters: InferParameters) -> RestRequest:
        """Builds the request."""
        return RestRequest("POST", f"{self.path}/infer", *encode(photos, parameters))

    def decode(self, response: httpx.Response) -> list[Prediction]:
        """Reads the response."""
        try:
            return decode(response.content)
        except ServingError as error:
            what = f"{self.url} gave an {error.message}{self._via(response)}"
            raise ServingError(what, remedy=self._remedy(NOT_OURS)) from error

    def retry_after(self, outcome: httpx.Response | Exception) -> float | None:
        """Lost connections and overload are worth another attempt."""
        if isinstance(outcome, Exception):
            return 0.0 if isinstance(outcome, httpx.TransportError) else None
        return retry_after(outcome.headers) if outcome.status_code in RETRIED_STATUSES else None

    def error_of(self, outcome: httpx.Response | Exception) -> ServingError | None:
        """A refusal of the predictor, or of something between here and there."""
        if isinstance(outcome, Exception):
            remedy = "check the URL and that the predictor runs: GET /v2/models/NAME/ready"
            what = f"{self.url} cannot be reached: {str(outcome) or type(outcome).__name__}{self._through()}"
            return ServingError(what, remedy=self._remedy(remedy))
        if outcome.status_code == httpx.codes.OK:
            return None
        message, reason = self._read_error(outcome)
        remedy = self._remedy(_REMEDIES.get(outcome.status_code, ""))
        status = outcome.status_code
        return RefusedError(f"{self.url} refused: {message}", status=status, reason=reason, remedy=remedy)

    def _read_error(self, response: httpx.Response) -> tuple[str, str]:
        try:
            fields = json.loads(response.content)
            return str(fields["error"]), str(fields.get("reason", "refused"))
        except (ValueError, KeyError, TypeError):
            status = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
            return f"{status}{self._via(response)}", "refused"

    def _via(self, response: httpx.Response) -> str:
        """Says who answered, for a response that a predictor would not give."""
        server = response.headers.get("via") or response.headers.get("server")
        who = f"; {server} answered, not a predictor" if server and server != "uvicorn" else ""
        return f"{who}{self._through()}"

    def _through(self) -> str:
        return f" (through the proxy {self._proxy})" if self._proxy else ""

    def _remedy(self, remedy: str) -> str:
        if not self._proxy:
            return remedy
        advice = f"if the proxy cannot reach it, add {self._host} to NO_PROXY"
        return f"{advice}; else {remedy}" if remedy else advice


def parse_address(url: str, of: str, example: str) -> httpx.URL:
    """Reads an address that a user gave.

    Args:
        url: The address, with or without ``http://``.
        of: What it is the address of, e.g. ``a predictor``.
        example: A correct one.

    Raises:
        ConfigError: This is no HTTP address.
    """
    try:
        address = httpx.URL(url if "://" in url else f"http://{url}")
    except (httpx.InvalidURL, ValueError):  # ValueError: a port that is no number
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host or " " in url:
        raise ConfigError(f"{url!r} is no address of {of}", remedy=f"e.g. {example}")
    return address


def proxy_mounts(host: str) -> dict[str, None] | None:
    """Httpx's ``mounts`` that hide the environment's proxies from requests to a host that needs none."""
    return _NO_PROXY if is_direct(host) else None
