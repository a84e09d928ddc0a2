"""Bodies that are no photo, hide one, or are larger than they say: nothing but a clear refusal."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import httpx
import pytest

from serving.gateway.api.photos import clean_name
from tests.serving.gateway.api.test_predict import problem
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.gateway import RunningGateway

PHOTO = (PHOTOS / SERVED[0]).read_bytes()


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("leaf.jpg", b"\0" * 10_000_000)
    return buffer.getvalue()


def _png_bomb(side: int = 50_000) -> bytes:
    """A PNG of a few kilobytes that claims 2.5 gigapixels."""

    def chunk(kind: bytes, payload: bytes) -> bytes:
        return (
            struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


UPLOADS = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "SVG behind a byte-order mark": b"\xef\xbb\xbf \n<SVG onload='alert(1)'/>",
    "XML": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
    "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
    "HTML without doctype": b"\n\n<html><body onload=alert(1)>",
    "zip bomb": _zip_bomb(),
    "gzip bomb": zlib.compress(b"\0" * 10_000_000, wbits=31),
    "PNG bomb": _png_bomb(),
    "PDF": b"%PDF-1.7 ...",
    "script that begins like a GIF": b"GIF89a=1;alert(1)//",
    "pickle": b"\x80\x04\x95.cos\nsystem\n.",
}


@pytest.mark.parametrize("name", UPLOADS)
def test_what_is_no_photo_is_refused_and_not_stored(anna: httpx.Client, name: str) -> None:
    """Whatever name and type it comes under."""
    before = anna.get("/v1/predictions?limit=200").json()["predictions"]
    for file in (("leaf.jpg", UPLOADS[name], "image/jpeg"), ("x.html", UPLOADS[name], "text/html")):
        document = problem(anna.post("/v1/predict", files={"file": file}))
        assert document["status"] in (413, 415, 422), document
    assert anna.get("/v1/predictions?limit=200").json()["predictions"] == before


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "/etc/cron.d/job",
        "a\x00b.jpg",
        "….jpg",
        "\u202egpj.exe",
        "x" * 5000 + ".jpg",
        "",
        ".",
    ],
)
def test_names_never_lead_anywhere(anna: httpx.Client, gateway: RunningGateway, name: str) -> None:
    cleaned = clean_name(name)
    assert not set(cleaned) & set("/\\\0\u202e\n") and len(cleaned) <= 255
    answer = anna.post("/v1/predict", json={"image": _base64(PHOTO), "name": name}).json()
    assert answer["file_name"] == cleaned
    inside = {path.name for path in gateway.directory.rglob("*")}
    assert "passwd" not in inside and "win.ini" not in inside  # photos are stored by their hash


def test_a_part_with_endless_headers_is_refused(anna: httpx.Client) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\nX-Long: ' + b"a" * 100_000
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    document = problem(anna.post("/v1/predict", content=body, headers=headers))
    assert document["status"] == 400 and "header" in str(document["detail"])


def test_a_form_with_endless_fields_is_refused(anna: httpx.Client) -> None:
    data = {f"field{n}": "x" for n in range(40)}
    document = problem(anna.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}, data=data))
    assert document["status"] == 400 and "32 fields" in str(document["detail"])


def test_a_field_is_small(anna: httpx.Client) -> None:
    document = problem(anna.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}, data={"top_k": "1" * 5000}))
    assert document["status"] == 413


def _base64(content: bytes) -> str:
    import base64

    return base64.b64encode(content).decode()
