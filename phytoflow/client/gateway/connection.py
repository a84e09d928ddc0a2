"""What the gateway's clients share: address, token, and when a request is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from phytoflow.client.gateway.calls import Call, T
from phytoflow.client.gateway.errors import error_of, not_ours, unreachable
from phytoflow.client.rest_wire import parse_address, proxy_mounts
from phytoflow.client.retry import delays
from phytoflow.errors import ConfigError

_RETRIED_STATUSES = (429, 502, 503, 504)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Connection:
    """Address, token and retries of a client.

    Args:
        url: Address of the gateway.
        token: Token or API key; empty: ``token_file`` has it.
        token_file: File with it.
        timeout: Seconds for one request.
        retries: Further attempts.
        max_wait: Seconds that a ``Retry-After`` may ask for; an error is raised if it asks for more.

    Raises:
        ConfigError: ``url`` is no HTTP address, or there is no token.
    """

    def __init__(
        self, url: str, token: str, token_file: Path | str, timeout: float, retries: int, max_wait: float
    ) -> None:
        self._address = parse_address(url, "a gateway", "http://localhost:8000")
        self.url = str(self._address.copy_with(username=None, password=None)).rstrip("/")  # for messages
        self._token, self._timeout = token or _read_token(token_file), timeout
        self._retries, self._max_wait = retries, max_wait

    def options(self) -> dict[str, Any]:
        """Keyword arguments for httpx's clients."""
        return {
            "base_url": self._address,
            "headers": {"Authorization": f"Bearer {self._token}"},
            "timeout": self._timeout,
            "mounts": proxy_mounts(self._address.host),
        }

    def delays(self) -> Iterator[float]:
        """Seconds before each further attempt of a request."""
        return delays(self._retries)

    def read(self, call: Call[T], response: httpx.Response) -> T:
        """The answer in a good response; raises ServingError if it cannot be read."""
        try:
            return call.read(response)
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise not_ours(self.url, error) from error

    def wait_after(
        self, call: Call[Any], outcome: httpx.Response | httpx.HTTPError, waits: Iterator[float]
    ) -> float | None:
        """Seconds to wait before the request is sent again; None for a good response.

        Raises:
            GatewayError: The gateway refused, and another attempt would not help or was the last.
            ServingError: It cannot be reached.
        """
        if isinstance(outcome, httpx.HTTPError):
            again = isinstance(outcome, _NEVER_SENT if not call.idempotent else httpx.TransportError)
            error, least = unreachable(self.url, outcome), 0.0 if again else None
        elif (refusal := error_of(outcome)) is None:
            return None
        else:
            error, least = refusal, self._retry_after(outcome)
        wait = None if least is None else next(waits, None)
        if least is None or wait is None:
            raise error from (outcome if isinstance(outcome, Exception) else None)
        return max(wait, least)

    def _retry_after(self, response: httpx.Response) -> float | None:
        if response.status_code not in _RETRIED_STATUSES:
            return None
        value = response.headers.get("Retry-After", "")
        seconds = float(value) if value.isdecimal() else 0.0
        return seconds if seconds <= self._max_wait else None


def _read_token(file: Path | str) -> str:
    remedy = "give a token or API key: `phytoflow gateway token` prints one"
    if not file:
        raise ConfigError("the gateway needs a token", remedy=remedy)
    try:
        token = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the token in {file}: {error}", remedy=remedy) from error
    if not token:
        raise ConfigError(f"{file} holds no token", remedy=remedy)
    return token
