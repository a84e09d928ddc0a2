"""Webhooks over HTTP: who is let in, and what an accepted one does."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from mlflow.webhooks.delivery import _generate_hmac_signature

from phytoflow.errors import ConfigError, StorageError
from phytoflow.system.ports import free_port
from phytoflow.watch.webhook import listening, read_secret

SECRET = "0123456789abcdef0123456789"


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
async def client(seen: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    async with (
        listening(f"127.0.0.1:{port}", SECRET, seen.append),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        yield http


async def test_a_bearer_of_the_secret_is_let_in(client: httpx.AsyncClient, seen: list[str]) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    for source in ("alertmanager", "s3", "mlflow"):
        answer = await client.post(f"/hooks/{source}", json={"alerts": []}, headers=headers)
        assert answer.status_code == 202
    assert seen == ["alertmanager", "s3", "mlflow"]


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", f"Bearer {SECRET}x", "Basic eDp5"])
async def test_others_are_not(client: httpx.AsyncClient, seen: list[str], authorization: str) -> None:
    answer = await client.post("/hooks/s3", json={}, headers={"Authorization": authorization})
    assert answer.status_code == 401 and seen == []
    assert SECRET not in answer.text


async def test_the_signature_of_mlflow(client: httpx.AsyncClient, seen: list[str]) -> None:
    """Signed by MLflow's own code."""
    body = '{"entity": "model_version_alias", "data": {"alias": "champion"}}'

    async def post(moment: int, signed: str) -> int:
        headers = {
            "X-MLflow-Delivery-Id": "d1",
            "X-MLflow-Timestamp": str(moment),
            "X-MLflow-Signature": _generate_hmac_signature(SECRET, "d1", str(moment), signed),
        }
        return (await client.post("/hooks/mlflow", content=body, headers=headers)).status_code

    now = int(time.time())
    assert await post(now, body) == 202 and seen == ["mlflow"]
    assert await post(now, body + " ") == 401  # another body was signed
    assert await post(now - 3600, body) == 401  # an old one, sent again
    bare = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"X-MLflow-Signature": f"v1,{bare}", "X-MLflow-Timestamp": str(now)}
    assert (await client.post("/hooks/mlflow", content=body, headers=headers)).status_code == 401
    assert seen == ["mlflow"]


async def test_nothing_else_is_served(client: httpx.AsyncClient, seen: list[str]) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert (await client.get("/hooks/s3", headers=headers)).status_code == 405
    assert (await client.post("/hooks/other", headers=headers)).status_code == 404
    assert (await client.post("/", headers=headers)).status_code == 404
    large = await client.post("/hooks/s3", content=b"x" * (2**20 + 1), headers=headers)
    assert large.status_code == 413 and seen == []


def test_a_secret_must_be_long_and_readable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert read_secret(str(tmp_path / "secret")) == SECRET
    (tmp_path / "short").write_text("secret")
    with pytest.raises(ConfigError, match="fewer than 20"):
        read_secret(str(tmp_path / "short"))
    with pytest.raises(StorageError, match="absent"):
        read_secret(str(tmp_path / "absent"))
