"""A predictor behind the gateway: kept connections, deadlines, refusals in the caller's words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp.resolver import ThreadedResolver

from phytoflow.protocol.constants import LOGGED
from serving.gateway.metrics import UPSTREAM_SECONDS
from serving.gateway.problems import ProblemError
from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.codec import ALWAYS, Buffer, InferResult, decode_response, encode_request
from serving.gateway.upstream.stale_resolver import StaleResolver

_CHUNK = 256 * 2**10  # bytes handed to the socket at once: a large photo is not copied whole
_MODEL_PATH = "/v2/models/"
_HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class ModelInfo:
    """What the predictor says of its model.

    Attributes:
        name: Name of the model, as the settings have it.
        version: Version that answers.
        classes: Classes, in the order of the probabilities.
        outputs: Names of all outputs.
        parameters: Everything else, as the predictor gives it.
    """

    name: str
    version: str
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict[str, Any]


class PredictorAwayError(ProblemError):
    """The predictor took no request: it is away or busy, whatever was asked."""


class Predictor:
    """One predictor.

    Args:
        url: Its URL. ``/v2/models/NAME`` at its end is the model's name there if it is not that of the
            settings: on KServe a model is named as its InferenceService.
        settings: Model name, timeout and connections.
        features: Whether to ask for the features of each photo, if the model has them.
    """

    def __init__(self, url: str, settings: UpstreamSettings, *, features: bool = True) -> None:
        self._optional = ("features",) if features else ()
        self.url, self._name = url.rstrip("/"), settings.model
        base, _, name = self.url.partition(_MODEL_PATH)
        self._model_url = f"{base}{_MODEL_PATH}{name or settings.model}"
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_seconds)
        self._limit = settings.connections
        self._session: aiohttp.ClientSession | None = None
        self._info: ModelInfo | None = None

    async def open(self) -> None:
        """Opens the connection pool; no request is sent."""
        resolver = StaleResolver(ThreadedResolver())
        connector = aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=60, resolver=resolver)
        # trust_env stays off: the predictor is never reached through a proxy.
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, auto_decompress=False
        )

    async def close(self) -> None:
        """Closes all connections."""
        if self._session:
            await self._session.close()

    async def ready(self) -> bool:
        """Whether the predictor is there and has a model."""
        try:
            status, _, _ = await self._request("GET", "/ready", timeout=2.0)
        except ProblemError:
            return False
        return status == 200

    async def info(self, version: str = "") -> ModelInfo:
        """The model that answers.

        Args:
            version: Version of an answer; a cached description of another version is fetched anew.

        Raises:
            ProblemError: 502, 503 or 504: the predictor is not there, or not this project's.
        """
        if self._info is None or (version and self._info.version != version):
            status, _, body = await self._request("GET", "")
            if status != 200:
                raise _refusal(status, body, "")
            self._info = _model_info(self._name, body)
        return self._info

    def forget(self) -> None:
        """Fetches the model's description anew at the next use."""
        self._info = None

    async def infer(
        self, photos: Sequence[Buffer], parameters: dict[str, Any], request_id: str
    ) -> tuple[InferResult, ModelInfo]:
        """Classifies photos; one request to the predictor.

        Args:
            photos: Encoded photos.
            parameters: V2 parameters: ``top_k``, ``tta``, ``explain``, ``class``.
            request_id: Id of the request.

        Returns:
            The answer, and the model that gave it.

        Raises:
            ProblemError: The predictor's own refusal with its reason; or 502, 503, 504 if it is at fault.
        """
        info = await self.info()
        outputs = [name for name in (*ALWAYS, *self._optional) if name in info.outputs]
        outputs += ["explanation"] if parameters.get("explain") else []
        # The gateway logs its predictions itself. A predictor that does not list the parameter refuses it.
        own = {LOGGED: True} if LOGGED in info.parameters else {}
        head, buffers = encode_request(photos, outputs, parameters | own, request_id)
        headers = {"Content-Type": "application/octet-stream", _HEADER_LENGTH: str(len(head))}
        headers["Content-Length"] = str(sum(len(buffer) for buffer in buffers))
        started = time.perf_counter()
        status, answered, body = await self._request("POST", "/infer", buffers=buffers, headers=headers)
        UPSTREAM_SECONDS.observe(time.perf_counter() - started)
        if status != 200:
            raise _refusal(status, body, answered.get("Retry-After", ""))
        try:
            length = answered.get(_HEADER_LENGTH)
            result = decode_response(body, int(length) if length else None)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise _not_ours(self.url, error) from error
        return result, await self.info(result.model_version)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        buffers: Sequence[Buffer] = (),
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One exchange; a connection that the predictor closed while it was idle is replaced once."""
        for attempt in (1, 2):
            try:
                return await self._exchange(method, path, buffers, headers, timeout)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if attempt == 2 or isinstance(error, aiohttp.ClientConnectorError):
                    raise _unreachable(self.url, error) from error
            except TimeoutError as error:
                detail = f"the predictor did not answer within {timeout or self._timeout.total:g} s"
                raise ProblemError(504, "predictor_timeout", detail, remedy="try again later") from error
            except aiohttp.ClientError as error:
                raise _unreachable(self.url, error) from error
        raise AssertionError("not reached")

    async def _exchange(
        self,
        method: str,
        path: str,
        buffers: Sequence[Buffer],
        headers: dict[str, str] | None,
        timeout: float | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        assert self._session is not None, "Predictor.open was not called"
        data = _chunks(buffers) if buffers else None
        limit = aiohttp.ClientTimeout(total=timeout) if timeout else self._timeout
        async with self._session.request(
            method, self._model_url + path, data=data, headers=headers, timeout=limit, allow_redirects=False
        ) as response:
            return response.status, response.headers, await response.read()


async def _chunks(buffers: Sequence[Buffer]) -> AsyncIterator[bytes | memoryview]:
    """The body in pieces: small ones joined, large ones as views of the photo."""
    small = bytearray()
    for buffer in buffers:
        if len(buffer) <= _CHUNK:
            small += buffer
            if len(small) <= _CHUNK:
                continue
            yield bytes(small)
        else:
            if small:
                yield bytes(small)
            view = memoryview(buffer)
            for start in range(0, len(view), _CHUNK):
                yield view[start : start + _CHUNK]
        small = bytearray()
    if small:
        yield bytes(small)


def _model_info(name: str, body: bytes) -> ModelInfo:
    try:
        metadata = orjson.loads(body)
        parameters = metadata["parameters"]
        return ModelInfo(
            name=name,
            version=str(parameters.get("version") or metadata["versions"][0]),
            classes=tuple(parameters["classes"]),
            outputs=tuple(output["name"] for output in metadata["outputs"]),
            parameters=parameters,
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _not_ours(name, error) from error


def _refusal(status: int, body: bytes, retry_after: str) -> ProblemError:
    """The predictor's refusal in the gateway's form; its server errors are not the caller's fault."""
    try:
        fields = orjson.loads(body)
        detail, reason = str(fields["error"]), str(fields.get("reason", "refused")).replace(" ", "_")
    except (ValueError, KeyError, TypeError):
        detail, reason = f"the predictor answered HTTP {status}", "refused"
    if status == 503:
        headers = {"Retry-After": retry_after or "1"}
        return PredictorAwayError(
            503, "predictor_busy", detail, remedy="try again after Retry-After", headers=headers
        )
    if status >= 500 or status in (401, 403, 404):
        return ProblemError(502, "predictor_error", detail, remedy="tell the operators of this service")
    return ProblemError(status, reason, detail)


def _unreachable(url: str, error: Exception) -> ProblemError:
    detail = f"the predictor cannot be reached ({type(error).__name__})"
    # A predictor that broke off a request may have done so because of it.
    kind = PredictorAwayError if isinstance(error, aiohttp.ClientConnectorError) else ProblemError
    headers = {"Retry-After": "2"}
    return kind(503, "predictor_unreachable", detail, remedy="try again later", headers=headers)


def _not_ours(url: str, error: Exception) -> ProblemError:
    detail = f"the predictor gave an unexpected answer: {error!r}"
    return ProblemError(502, "predictor_error", detail, remedy="is it phytoflow's predictor?")


async def wait_until_ready(predictor: Predictor, seconds: float) -> bool:
    """Polls until the predictor is ready; False if it is not within the given seconds."""
    deadline = time.monotonic() + seconds
    while not (ready := await predictor.ready()) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return ready
