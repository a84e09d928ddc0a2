"""Decoding piece by piece."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

import pytest

from serving.predictor.errors import RequestError
from serving.predictor.transport.rest.content_encoding import _PIECE_BYTES, decoder_for

CONTENT = bytes(range(256)) * 20_000  # 5 MB, compressible


def decode(encoding: str, chunks: Iterable[bytes]) -> list[bytes]:
    decoder = decoder_for(encoding)
    pieces = [piece for chunk in chunks for piece in decoder.decode(chunk)]
    decoder.finish()
    return pieces


def split(content: bytes, size: int) -> list[bytes]:
    return [content[begin : begin + size] for begin in range(0, len(content), size)]


@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_any_division_into_chunks_gives_the_content(encoding: str, compress: object, size: int) -> None:
    content = CONTENT if size > 100 else CONTENT[:70_000]
    pieces = decode(encoding, split(compress(content), size))  # type: ignore[operator]
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= _PIECE_BYTES


def test_a_body_that_ends_at_a_full_piece_is_complete() -> None:
    for length in (_PIECE_BYTES - 1, _PIECE_BYTES, _PIECE_BYTES + 1, 2 * _PIECE_BYTES):
        assert b"".join(decode("gzip", [gzip.compress(b"x" * length)])) == b"x" * length


@pytest.mark.parametrize("size", [1, 10**9])
def test_members_of_gzip_are_joined(size: int) -> None:
    body = gzip.compress(b"one, ") + gzip.compress(b"") + gzip.compress(b"two")
    assert b"".join(decode("gzip", split(body, size))) == b"one, two"


def test_nothing_is_expanded_before_it_is_asked_for() -> None:
    pieces = decoder_for("gzip").decode(gzip.compress(bytes(2**30)))
    assert len(next(pieces)) == _PIECE_BYTES


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("gzip", gzip.compress(CONTENT)[:-1], "cut short"),
        ("gzip", b"", "cut short"),
        ("gzip", b"plain text", "not valid gzip"),
        ("deflate", b"\xff" * 100, "not valid deflate"),
        ("deflate", zlib.compress(b"x") + b"y", "follow the end"),
    ],
)
def test_a_damaged_body_is_malformed(encoding: str, body: bytes, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        decode(encoding, [body])
    assert caught.value.status == 400


def test_without_an_encoding_chunks_pass() -> None:
    assert decode("", [b"a", b"", b"b"]) == [b"a", b"b"]
    assert decode(" Identity ", [b"a"]) == [b"a"]


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(RequestError, match="Content-Encoding 'br' is not supported") as caught:
        decoder_for("br")
    assert (caught.value.status, caught.value.reason) == (415, "unsupported_encoding")
