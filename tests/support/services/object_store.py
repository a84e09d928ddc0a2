"""A small S3 server that lists, reads, writes and deletes. Each folder below its root is a bucket."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if "list-type" not in query:
            return super().do_GET()
        bucket = Path(self.translate_path(parts.path))
        self._answer(_listing(bucket, query.get("prefix", "")).encode())

    def do_PUT(self) -> None:
        file = Path(self.translate_path(urlsplit(self.path).path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"")

    def do_DELETE(self) -> None:
        Path(self.translate_path(urlsplit(self.path).path)).unlink(missing_ok=True)
        self._answer(b"")

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _listing(bucket: Path, prefix: str) -> str:
    files = {p.relative_to(bucket).as_posix(): p for p in sorted(bucket.rglob("*")) if p.is_file()}
    items = [
        f"<Contents><Key>{escape(name)}</Key><Size>{file.stat().st_size}</Size>"
        f"<ETag>{hashlib.md5(file.read_bytes()).hexdigest()}</ETag>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for name, file in files.items()
        if name.startswith(prefix)
    ]
    head = f"<Name>{escape(bucket.name)}</Name><IsTruncated>false</IsTruncated>"
    return f"<ListBucketResult>{head}{''.join(items)}</ListBucketResult>"


@contextmanager
def object_store(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serves ``root`` and points the environment's S3 endpoint at it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(root)))
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
