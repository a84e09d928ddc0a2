"""Decodes compressed request bodies without ever holding more than a piece beyond the limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from serving.predictor.errors import malformed, unsupported_encoding

SUPPORTED = "gzip, deflate"
_PIECE_BYTES = 256 * 1024  # of output at a time: what a small chunk expands to is checked before more is made
_GZIP = zlib.MAX_WBITS + 16  # zlib's parameter for a gzip header
_RAW = -zlib.MAX_WBITS


class Decoder(Protocol):
    """Turns chunks of a request body into pieces of its content."""

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the content of the next chunk; raises RequestError 400 if it is not in the encoding."""

    def finish(self) -> None:
        """Checks that the body is complete; raises RequestError 400."""


def decoder_for(encoding: str) -> Decoder:
    """Returns a decoder.

    Args:
        encoding: Header ``Content-Encoding``; empty if there is none.

    Raises:
        RequestError: 415 for any encoding but gzip, deflate and identity.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Inflater("gzip", _GZIP)
        case "deflate":
            return _Inflater("deflate", zlib.MAX_WBITS)
    supported = f"supported are {SUPPORTED}, or none"
    raise unsupported_encoding(f"Content-Encoding {encoding[:40]!r} is not supported; {supported}")


class _Identity:
    def decode(self, chunk: bytes) -> Iterator[bytes]:
        if chunk:
            yield chunk

    def finish(self) -> None:
        pass


class _Inflater:
    """gzip (RFC 1952), also of several members, or deflate (RFC 9110: zlib; many clients send it raw)."""

    def __init__(self, name: str, window_bits: int) -> None:
        self._name, self._window_bits = name, window_bits
        self._stream = zlib.decompressobj(window_bits)
        self._is_first = True

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        piece = b""
        while (
            chunk or len(piece) == _PIECE_BYTES
        ):  # after a full piece zlib may hold more without further input
            if self._stream.eof:
                if not chunk:
                    return
                self._begin_member()
            piece = self._inflate(chunk)
            chunk = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece

    def finish(self) -> None:
        if not self._stream.eof:
            raise malformed(f"the {self._name} body is cut short")

    def _begin_member(self) -> None:
        if self._window_bits != _GZIP:
            raise malformed(f"bytes follow the end of the {self._name} body")
        self._stream = zlib.decompressobj(_GZIP)

    def _inflate(self, chunk: bytes) -> bytes:
        try:
            return self._stream.decompress(chunk, _PIECE_BYTES)
        except zlib.error:
            if not self._is_first or self._window_bits != zlib.MAX_WBITS:
                raise malformed(f"the body is not valid {self._name}") from None
            self._window_bits = _RAW
            self._stream = zlib.decompressobj(_RAW)
            return self._inflate(chunk)
        finally:
            self._is_first = False
