"""Webhooks of Alertmanager, object stores and MLflow: something happened, so the triggers are looked at now.

What a request says is not believed: the triggers ask Alertmanager, the photos and the registry themselves. A
forged or repeated request can therefore start nothing that was not due.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from phytoflow.errors import ConfigError, StorageError
from phytoflow.watch.listener import answering

SOURCES = ("alertmanager", "s3", "mlflow")
_MAX_BYTES = 2**20
_FEWEST_CHARACTERS = 20  # of the secret
_OLDEST_SECONDS = 300.0  # of a signed request
_LOG = logging.getLogger(__name__)


def read_secret(file: str) -> str:
    """The secret of the webhooks.

    Raises:
        StorageError: The file cannot be read.
        ConfigError: It holds fewer than 20 characters.
    """
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read the webhooks' secret in {file}: {error}") from error
    if len(secret) < _FEWEST_CHARACTERS:
        remedy = "for instance: openssl rand -hex 32"
        raise ConfigError(
            f"the secret in {file} has fewer than {_FEWEST_CHARACTERS} characters", remedy=remedy
        )
    return secret


@asynccontextmanager
async def listening(address: str, secret: str, notify: Callable[[str], None]) -> AsyncIterator[None]:
    """Takes ``POST /hooks/SOURCE`` for the length of the block.

    A caller proves that it knows the secret: by ``Authorization: Bearer SECRET``, as Alertmanager and MinIO
    can, or by the signature of MLflow's webhooks (HMAC-SHA256).

    Args:
        address: HOST:PORT.
        secret: The shared secret.
        notify: Called with the source of each accepted request.

    Raises:
        OSError: The port is taken.
    """

    async def handle(request: web.Request) -> web.Response:
        source = request.match_info["source"]
        if source not in SOURCES:
            raise web.HTTPNotFound
        body = await request.read()  # 413 beyond the limit
        if not _is_authentic(request, body, secret):
            _LOG.warning("a webhook of %s from %s without the secret", source, request.remote)
            raise web.HTTPUnauthorized
        notify(source)
        return web.Response(status=202)

    application = web.Application(client_max_size=_MAX_BYTES)
    application.router.add_post("/hooks/{source}", handle)
    async with answering(address, application):
        yield


def _is_authentic(request: web.Request, body: bytes, secret: str) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if hmac.compare_digest(given.encode(), secret.encode()):
        return True
    names = ("X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature")
    delivery, moment, signature = (request.headers.get(name, "") for name in names)
    if not moment.isdecimal() or abs(time.time() - int(moment)) > _OLDEST_SECONDS:
        return False
    digest = hmac.new(secret.encode(), f"{delivery}.{moment}.".encode() + body, hashlib.sha256).digest()
    return hmac.compare_digest(signature.encode(), b"v1," + base64.b64encode(digest))
