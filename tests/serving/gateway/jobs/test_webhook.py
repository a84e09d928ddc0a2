"""Webhooks go where the operators allow, signed."""

from __future__ import annotations

import hashlib
import hmac
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from serving.gateway.jobs import webhook
from serving.gateway.problems import ProblemError
from serving.gateway.settings import TaskSettings


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/admin",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "http://hooks.example@evil.example/",
        "https://hooks.example.evil.example/",
        "https://user:pass@hooks.example/",
        "gopher://hooks.example/",
        "http://hooks.example:99/",
        "nonsense",
        "http://[",
        "http://hooks.example:port/",
        "http://hooks.example:99999/",
    ],
)
def test_other_hosts_are_refused(url: str) -> None:
    settings = TaskSettings(webhook_hosts=("hooks.example:443",), webhook_secret_file="x")
    with pytest.raises(ProblemError) as refused:
        webhook.check_webhook(url, settings)
    assert refused.value.status == 400


async def test_an_allowed_name_that_leads_into_a_private_network_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(webhook, "_PAUSES", (0.01,))
    (tmp_path / "secret").write_text("s")
    closed = TaskSettings(webhook_hosts=("localhost",), webhook_secret_file=str(tmp_path / "secret"))
    url = webhook.check_webhook(f"http://localhost:{server.server_port}/hook", closed)
    assert not await webhook.send_webhook(url, {"task_id": "t"}, closed) and not asked
    opened = closed.model_copy(update={"webhook_private": True})
    assert await webhook.send_webhook(url, {"task_id": "t"}, opened) and asked == ["/hook"]
    server.shutdown()


async def test_a_delivery_is_signed_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers[webhook.SIGNATURE_HEADER]))
            self.send_response(500 if len(got) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(webhook, "_PAUSES", (0.01, 0.01))
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    settings = TaskSettings(webhook_hosts=("127.0.0.1",), webhook_secret_file=str(secret))
    url = webhook.check_webhook(f"http://127.0.0.1:{server.server_port}/hook", settings)
    assert await webhook.send_webhook(url, {"task_id": "t", "state": "done"}, settings)
    server.shutdown()
    assert len(got) == 2
    body, header = got[1]
    moment, digest = (part.partition("=")[2] for part in header.split(","))
    wanted = hmac.new(b"s3cret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, wanted)
