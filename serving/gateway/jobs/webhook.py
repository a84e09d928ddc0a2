"""Webhooks: the result of a task, sent to a host that the operators allow, with a signature."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from serving.gateway.jobs.public_resolver import PublicResolver
from serving.gateway.metrics import TASKS
from serving.gateway.problems import ProblemError
from serving.gateway.settings import TaskSettings

_LOG = logging.getLogger(__name__)
SIGNATURE_HEADER = "X-Phytoflow-Signature"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_PAUSES = (1.0, 5.0, 25.0)


def check_webhook(url: str, settings: TaskSettings) -> str:
    """Refuses a webhook that the operators did not allow; raises ProblemError 400.

    Without a list of hosts a caller could make the gateway send requests into its own network.
    """
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and not parts.username and parts.port != 0
    except ValueError:  # brackets without an address, a port that is no number
        plain = False
    if not plain or not parts.hostname:
        raise ProblemError(400, "malformed", "webhook is no http(s) URL")
    if parts.netloc not in settings.webhook_hosts and parts.hostname not in settings.webhook_hosts:
        allowed = ", ".join(settings.webhook_hosts) or "none"
        raise ProblemError(
            400,
            "webhook_not_allowed",
            f"webhooks may not go to {parts.hostname}; allowed are: {allowed}",
            remedy="ask the operators to add the host to tasks.webhook_hosts",
        )
    return url


def sign(body: bytes, secret: bytes, moment: int) -> str:
    """The signature header: time and HMAC-SHA256 of ``time.body``, in hexadecimal."""
    digest = hmac.new(secret, f"{moment}.".encode() + body, sha256).hexdigest()
    return f"t={moment},v1={digest}"


async def send_webhook(url: str, document: dict[str, Any], settings: TaskSettings) -> bool:
    """Sends a document; tries again with pauses, and gives up with a warning."""
    secret = Path(settings.webhook_secret_file).read_bytes().strip()
    body = orjson.dumps(document)
    connector = aiohttp.TCPConnector(resolver=None if settings.webhook_private else PublicResolver())
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True, connector=connector) as session:
        for pause in (*_PAUSES, None):
            headers = {"Content-Type": "application/json"}
            headers[SIGNATURE_HEADER] = sign(body, secret, int(time.time()))
            try:
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    if response.status < 300:
                        return True
                    reason = f"HTTP {response.status}"
            except (aiohttp.ClientError, OSError) as error:
                reason = type(error).__name__
            if pause is not None:
                await asyncio.sleep(pause)
    TASKS.labels("webhook_failed").inc()
    what = document.get("task_id") or document.get("event")
    _LOG.warning("the webhook of %s was not delivered: %s", what, reason)
    return False
