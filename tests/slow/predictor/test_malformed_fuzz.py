"""Bytes no one thought of: photos mutated byte by byte, and requests made from the OpenAPI description.

``PHYTOFLOW_FUZZ_SECONDS`` says how long each goes on; ten minutes are what a release gets.
"""

from __future__ import annotations

import base64
import io
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from phytoflow.bundle.bundle import Bundle
from phytoflow.client.parameters import InferParameters
from phytoflow.client.rest_codec import encode
from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError
from phytoflow.inference.test_time_augmentation import view_pixels
from phytoflow.protocol.constants import VIEWS
from phytoflow.system.malloc import KEPT
from tests.support.make_bundle import pictures
from tests.support.photo_files import PROFILES, heic, png_16, tiff_16
from tests.support.services.servers import LIMITS, Server, start

SECONDS = float(os.environ.get("PHYTOFLOW_FUZZ_SECONDS", "20"))
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.timeout(6 * SECONDS + 300),
]
REQUESTS_A_SECOND = 20
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
TOKENS = (b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc4", b"\xff\xe1Exif\0\0", b"IHDR", b"IDAT", b"IEND")
TOKENS += (b"ftypheic", b"ftypavif", b"irot", b"ispe", b"hvcC", b"iloc", b"sBIT", b"ICC_PROFILE\0", b"acsp")
TOKENS += (b"acTL", b"iCCP", b"RIFF", b"VP8L", b"VP8X", b"II*\0", b"MM\0*", b"BM", b"\0" * 8, b"\xff" * 8)
DECODER_LIMITS = Limits(max_bytes=2**20, max_pixels=2**20)


def seeds() -> list[bytes]:
    """Small photos of every kind, mode and option that has code of its own in a decoder."""
    found = [photo.content for photo in pictures(2)]
    image = decode(found[0]).resize((40, 30))
    for kind in KINDS:
        found += [_saved(image, kind), _saved(image.convert("L"), kind)]
    found += [_saved(image.convert(mode), "PNG") for mode in ("P", "RGBA", "LA", "1", "I;16")]
    found += [_saved(image.convert("CMYK"), "JPEG"), _saved(image, "JPEG", progressive=True)]
    found += [_saved(image, "TIFF", compression=name) for name in ("tiff_lzw", "packbits", "tiff_deflate")]
    found += [heic(image), heic(image, orientation=6), heic(image, bit_depth=10), _saved(image, "AVIF")]
    for kind, name in zip(("JPEG", "PNG", "TIFF", "WEBP", "AVIF"), 2 * list(PROFILES), strict=False):
        found.append(_saved(image, kind, icc_profile=PROFILES[name]))
    twelve_bits = (np.asarray(image).astype(np.uint32) * 4095 // 255).astype(np.uint16)
    found += [png_16(twelve_bits), png_16(twelve_bits[..., 0], significant_bits=12), tiff_16(twelve_bits)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [*found, _saved(image, "JPEG", exif=exif), _saved(image, "WEBP", lossless=True)]


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def mutated(chance: random.Random, corpus: list[bytes]) -> bytes:
    """A photo with a few bytes changed, cut out, repeated, or taken from another."""
    content = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(content) + 1)
        length = chance.choice((1, 2, 4, 32, 256))
        kind = chance.randrange(6)
        if kind == 0 and at < len(content):
            content[at] = chance.randrange(256)
        elif kind == 1:
            content[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            del content[at : at + length]
        elif kind == 3:
            content[at:at] = content[at : at + length]
        elif kind == 4:
            content[at:at] = chance.choice(TOKENS)
        else:
            other = chance.choice(corpus)
            content[at:] = other[chance.randrange(len(other)) :]
    return bytes(content)


def test_the_decoder_gives_pixels_or_a_photo_error(bundle: Path) -> None:
    preprocessing = Bundle.load(bundle).manifest.preprocessing
    chance, corpus = random.Random(0), seeds()
    decoded = refused = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        content = mutated(chance, corpus)
        try:
            image = decode(content, DECODER_LIMITS, size_hint=preprocessing.resize_size)
        except PhotoError as error:
            assert error.reason
            refused += 1
            continue
        assert image.mode == "RGB"
        view = chance.randrange(VIEWS["crops"])
        pixels = view_pixels(preprocessing, image, "crops", view)
        assert pixels.shape == (preprocessing.size, preprocessing.size, 3)
        assert pixels.dtype == np.uint8
        decoded += 1
        if len(corpus) < 500:  # what still decodes leads further than what does not
            corpus.append(content)
    assert decoded > 10 and refused > 10


@pytest.fixture(scope="module")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(bundle, tmp_path_factory.mktemp("fuzz") / "log", model_control_mode="none", **LIMITS)
    yield running
    running.process.terminate()
    assert running.process.wait(60) == 0


def test_the_server_answers_or_refuses_and_does_not_grow(server: Server) -> None:
    chance, corpus = random.Random(1), seeds()
    statuses: set[int] = set()
    early, end = 0.0, time.monotonic() + SECONDS
    with httpx.Client(timeout=30) as http:
        while time.monotonic() < end:
            response = http.post(f"{server.model}/infer", **_request(chance, corpus))
            statuses.add(response.status_code)
            assert response.status_code < 500 or response.status_code == 503, response.text
            if not early and time.monotonic() > end - SECONDS * 0.7:
                early = resident(server)
    assert {200, 400, 422} <= statuses
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text(errors="replace")
    # Large photos come late, if they come: what malloc may keep of them is no leak, which would go on.
    assert resident(server) < early * 1.03 + KEPT / 2**20


def _request(chance: random.Random, corpus: list[bytes]) -> dict[str, object]:
    """A whole request of mutated photos, or a mutated request of whole photos, by turns."""
    photos = [mutated(chance, corpus) for _ in range(chance.randrange(1, 4))]
    body, headers = encode(photos, None)
    if chance.random() < 0.3:
        body, headers = encode([chance.choice(corpus)], InferParameters(top_k=2))
        body = mutated(chance, [body])
    elif chance.random() < 0.3:
        data = base64.b64encode(chance.choice(corpus)).decode()
        text = f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["{data}"]}}]}}'
        return {"content": mutated(chance, [text.encode()])}
    return {"content": body, "headers": headers}


def resident(server: Server) -> float:
    """Resident memory of the predictor, MB."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_requests_made_from_the_openapi_description(server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis (extra dev)")
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    paths = {operation.path for operation in operations}
    assert {"/v2/models/{name}/infer", "/v1/models/{name}:predict"} <= paths
    for operation in operations:
        _holds(operation, requests=max(5, int(SECONDS * REQUESTS_A_SECOND / len(operations))))
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text(errors="replace")


def _holds(operation: Any, requests: int) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    @given(data=st.data())
    @settings(
        max_examples=requests,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def once(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        for name in {"name", "model_name"} & set(case.path_parameters or {}):
            if data.draw(st.booleans()):  # else nearly everything would end at a model that is not there
                case.path_parameters[name] = "leaf"
        status = case.call(timeout=30).status_code
        assert status < 500 or status in (501, 503), f"{case.method} {case.path}: {status}"

    once()
