"""The thread that sends predictions to the gateway's log, in batches, until they are accepted."""

from __future__ import annotations

import logging
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.errors import ConfigError
from phytoflow.protocol.proxies import is_direct
from serving.predictor.observability.metrics import LOG_DROPPED, LOG_SENT
from serving.predictor.options import Options
from serving.predictor.prediction_log.buffer import Inbox, Outbox
from serving.predictor.prediction_log.record import AnsweredRequest, encode_lines

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)
_INTERVAL = 1.0  # seconds between two batches: a batch costs about as much as a photo
_BATCH = 500  # predictions the gateway takes at once
_TIMEOUT = 10.0  # seconds for one batch
_MAX_PAUSE = 30.0  # seconds between two attempts
_LAST_SECONDS = 5.0  # for what is left at shutdown
# The gateway will never take these predictions. Every other refusal may end, e.g. once a token is renewed.
_FINAL_STATUSES = (400, 413, 422)


class LogSender:
    """Sends predictions to the gateway.

    ``add`` only hands a request over. A thread encodes and sends; what the gateway does not take is kept
    within bounds and sent again. A batch that is sent twice counts once, because predictions have ids.

    Args:
        url: Address of the gateway.
        token_file: File with a token or API key of scope ``log``; read for each batch: it can be renewed.
        features: Whether to send features.
    """

    def __init__(self, url: str, token_file: Path, *, features: bool) -> None:
        self._url, self._token_file, self._features = f"{url.rstrip('/')}/v1/log", token_file, features
        self._inbox, self._outbox = Inbox(), Outbox()
        self._batch, self._pause, self._next_attempt = _BATCH, 0.0, 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    @classmethod
    def from_options(cls, options: Options) -> LogSender | None:
        """The sender that the options ask for; None if they do not.

        Raises:
            ConfigError: There is no token, or the URL is no HTTP address.
        """
        if not options.log_url:
            return None
        if not options.log_url.startswith(("http://", "https://")):
            remedy = "give --log_url an address such as http://gateway:8000"
            raise ConfigError(f"{options.log_url!r} is no address of a gateway", remedy=remedy)
        sender = cls(options.log_url, Path(options.log_token_file), features=options.log_features == "yes")
        sender._read_token()
        return sender

    def add(self, request: AnsweredRequest) -> None:
        """Hands a request over; never blocks, and never raises."""
        self._inbox.add(request)

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def close(self) -> None:
        """Sends what is left, for a few seconds at most; the rest is counted as dropped."""
        self._stopping.set()
        self._thread.join()

    def _read_token(self) -> str:
        """The token; raises ConfigError if it cannot be read or is empty."""
        remedy = "give --log_token_file a file with a token of scope `log`"
        try:
            token = self._token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            what = f"cannot read the token of the prediction log, {self._token_file}: {error}"
            raise ConfigError(what, remedy=remedy) from error
        if not token:
            raise ConfigError(f"{self._token_file} holds no token", remedy=remedy)
        return token

    def _run(self) -> None:
        import httpx  # here: most predictors do not log, and need neither its memory nor its import time

        proxied = not is_direct(httpx.URL(self._url).host)
        with httpx.Client(timeout=_TIMEOUT, trust_env=proxied) as client:
            while not self._stopping.wait(_INTERVAL):
                self._encode()
                if time.monotonic() >= self._next_attempt:
                    self._send_all(client)
            self._encode()
            self._send_last(client)

    def _encode(self) -> None:
        for request in self._inbox.take():
            try:
                for line in encode_lines(request, features=self._features):
                    self._outbox.add(line)
            except Exception:  # the log must not end with one prediction
                _LOG.exception("predictions of request %s were not logged", request.request_id)
                LOG_DROPPED.labels("refused").inc(request.photo_count)

    def _send_all(self, client: httpx.Client) -> None:
        """Sends batches until nothing is left or one is not taken."""
        while self._outbox and not self._stopping.is_set():
            if not self._send(client):
                return

    def _send_last(self, client: httpx.Client) -> None:
        deadline = time.monotonic() + _LAST_SECONDS
        client.timeout = _LAST_SECONDS
        while self._outbox and time.monotonic() < deadline and self._send(client):
            pass
        if self._outbox:
            _LOG.warning("%d predictions were not logged: the gateway does not take them", len(self._outbox))
            LOG_DROPPED.labels("stopped").inc(len(self._outbox))

    def _send(self, client: httpx.Client) -> bool:
        """Sends one batch; False if it must wait."""
        import httpx

        lines = self._outbox.first(self._batch)
        try:
            headers = {"Authorization": f"Bearer {self._read_token()}", "Content-Type": "application/json"}
            body = b'{"predictions":[%b]}' % b",".join(lines)
            response = client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, ConfigError, OSError) as error:
            self._delay(0.0, str(error) or type(error).__name__)
            return False
        if response.is_success:
            self._accept(len(lines))
            return True
        if response.status_code in _FINAL_STATUSES:
            self._divide(len(lines), response)
            return True
        wait = response.headers.get("Retry-After", "")
        self._delay(float(wait) if wait.isdecimal() else 0.0, f"HTTP {response.status_code}")
        return False

    def _accept(self, count: int) -> None:
        LOG_SENT.inc(count)
        self._outbox.remove(count)
        self._batch, self._pause = min(_BATCH, 2 * self._batch), 0.0

    def _divide(self, count: int, response: httpx.Response) -> None:
        """Sends half of a refused batch, down to the one prediction that is refused."""
        if count == 1:
            _LOG.error("the gateway refuses a prediction: %s", response.text[:500])
            LOG_DROPPED.labels("refused").inc()
            self._outbox.remove(1)
        self._batch = max(1, count // 2)

    def _delay(self, least: float, why: str) -> None:
        if not self._pause:
            _LOG.warning("predictions wait, the gateway's log cannot be reached: %s", why)
        self._pause = min(_MAX_PAUSE, max(_INTERVAL, 2 * self._pause))
        # With jitter: many predictors must not return to a restarted gateway at once.
        self._next_attempt = time.monotonic() + max(least, self._pause * random.uniform(0.5, 1.0))
