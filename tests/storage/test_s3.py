import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.uri import exists, fetch_folder, list_folder, put_folder, read_bytes
from tests.support.photo_folder import write
from tests.support.services.object_store import object_store

NAMES = ["Löwenzahn #1 <b>&\"q'/0.jpg", "50%25/0.jpg", "what?/a=b&c.jpg", "健康 🌿/0 1.jpg", "a+b;c/0.jpg"]


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    (tmp_path / "bucket").mkdir()
    return tmp_path / "bucket"


def test_names_that_mean_something_in_an_address(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        write(tmp_path / "from" / name, name.encode())
    with object_store(tmp_path, monkeypatch):
        put_folder(tmp_path / "from", "s3://bucket/run #1 50%/photos?")
        assert sorted(p.relative_to(bucket).as_posix() for p in bucket.rglob("*.jpg")) == sorted(
            f"run #1 50%/photos?/{name}" for name in NAMES
        )
        folder = fetch_folder("s3://bucket/run #1 50%/photos?", tmp_path / "to")
        assert exists(f"s3://bucket/run #1 50%/photos?/{NAMES[0]}")
        lines = list_folder("s3://bucket/run #1 50%/photos?")
    for name in NAMES:
        assert (folder / name).read_bytes() == name.encode()
    assert sorted(line.rpartition(" ")[0] for line in lines) == sorted(NAMES)


def test_a_prefix_is_not_another_one_that_begins_alike(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bucket / "run2" / "bundle" / "model.json", b"{}")
    with object_store(tmp_path, monkeypatch):
        assert exists("s3://bucket") and exists("s3://bucket/run2") and exists("s3://bucket/run2/")
        assert exists("s3://bucket/run2/bundle/model.json")
        assert not exists("s3://bucket/run") and not exists("s3://bucket/run2/bundle/model")


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "s3://my bucket/key", "ftp://host/x"])
def test_an_address_without_bucket_or_of_another_kind(uri: str) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        read_bytes(uri)


class _Refusing(BaseHTTPRequestHandler):
    code, status = "AccessDenied", 403

    def do_GET(self) -> None:
        body = f"<Error><Code>{self.code}</Code><Message>No.</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        ("AccessDenied", 403, "the right to read and write this bucket"),
        ("NoSuchBucket", 404, "make the bucket"),
        ("SignatureDoesNotMatch", 403, "check AWS_SECRET_ACCESS_KEY"),
        ("InvalidAccessKeyId", 403, "check AWS_ACCESS_KEY_ID"),
        ("SomethingElse", 400, "AWS_ENDPOINT_URL"),
    ],
)
def test_what_a_store_answers_is_said_with_its_remedy(
    code: str, status: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = type("Handler", (_Refusing,), {"code": code, "status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never shown")
    try:
        with pytest.raises(StorageError, match=f"s3://bucket/a: the store answers {code}: No") as refusal:
            list_folder("s3://bucket/a")
    finally:
        server.shutdown()
        server.server_close()
    assert remedy in refusal.value.remedy and "never shown" not in str(refusal.value)
