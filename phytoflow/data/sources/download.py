"""Downloading one large file over HTTP: goes on where it was cut, and is checked before it gets its name."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx

from phytoflow.errors import StorageError
from phytoflow.storage.checksum import file_sha256
from phytoflow.storage.disk_errors import explain_disk_errors
from phytoflow.system.progress import track

STEP = 2**18
"""Bytes of one step of the progress bar."""
PATIENCE = 6
"""Failures in a row, none bringing a byte, before giving up."""
_TIMEOUT = httpx.Timeout(10, read=60)
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LOG = logging.getLogger(__name__)


def download(url: str, to: Path, *, max_bytes: int, sha256: str = "", pause: float = 0.5) -> Path:
    """Downloads ``url`` to ``to``; what there is of it waits in ``to`` + ``.part`` and is continued.

    Args:
        url: The file.
        to: Where it goes, once whole and checked.
        max_bytes: A larger file is refused.
        sha256: Expected hash; empty: not checked.
        pause: Seconds before the first retry; doubles with each that brings nothing.

    Returns:
        ``to``.

    Raises:
        StorageError: If it cannot be had, is too large, or has another hash (what was downloaded is then
            removed: the next try starts anew).
    """
    part = to.with_name(f"{to.name}.part")
    failures = 0
    while not to.exists():
        before = _size(part)
        try:
            with explain_disk_errors(to):
                _continue(url, part, max_bytes)
                _check_hash(part, url, sha256)
                part.replace(to)
        except httpx.HTTPError as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures >= PATIENCE or not _passes(error):
                remedy = "check the connection and run the same command again: it goes on where it was"
                raise StorageError(f"cannot download {url}: {_said(error)}", remedy=remedy) from error
            _LOG.info("%s: %s; trying again", url, _said(error))
            time.sleep(pause * 2**failures)
    return to


def read_small(url: str) -> str | None:
    """The text of a small file, such as a hash; None if the server has none."""
    try:
        response = httpx.get(url, follow_redirects=True, timeout=_TIMEOUT)
    except httpx.HTTPError as error:
        raise StorageError(f"cannot read {url}: {_said(error)}", remedy="check the connection") from error
    return response.text if response.is_success else None


def head(url: str) -> str:
    """What a server says of a file without sending it, to tell when it changed: entity tag, time and size.

    Raises:
        StorageError: The server cannot be reached, or has no such file.
    """
    try:
        response = httpx.head(url, follow_redirects=True, timeout=_TIMEOUT).raise_for_status()
    except httpx.HTTPError as error:
        raise StorageError(f"cannot read {url}: {_said(error)}", remedy="check the address") from error
    return " ".join(response.headers.get(name, "") for name in ("etag", "last-modified", "content-length"))


def _continue(url: str, part: Path, max_bytes: int) -> None:
    """Asks for what is missing and appends it; a server that cannot do so sends the whole anew."""
    have = _size(part)
    # Without "identity" a server may compress on the way, and a byte's place would mean another thing.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _end_of(response, part, have)
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT and _starts_at(response, have)
        start = have if resumed else 0
        expected = _length(response, start)
        _check_size(expected, max_bytes, url, part)
        with part.open("ab" if resumed else "wb") as file:
            steps = track(
                _written(response, file),
                f"Downloading {part.name.removesuffix('.part')}",
                total=(expected - start) // STEP if expected else None,
            )
            for _ in steps:
                _check_size(file.tell(), max_bytes, url, part)


def _written(response: httpx.Response, file: IO[bytes]) -> Iterator[int]:
    """Writes what arrives as it arrives, so that a cut loses nothing; yields at each ``STEP`` bytes."""
    room = STEP
    for piece in response.iter_raw():
        file.write(piece)
        room -= len(piece)
        while room <= 0:
            room += STEP
            yield STEP
    yield STEP - room


def _check_size(size: int, max_bytes: int, url: str, part: Path) -> None:
    if size > max_bytes:
        part.unlink(missing_ok=True)
        raise StorageError(f"{url} has more than the {max_bytes} bytes allowed", remedy="check the address")


def _end_of(response: httpx.Response, part: Path, have: int) -> None:
    """ "Nothing after what you have": it is whole, or it is of another file."""
    if response.headers.get("content-range", "").rpartition("/")[2] != str(have):
        part.unlink()
        raise httpx.ReadError("the file at the server is another one: starting anew")


def _check_hash(part: Path, url: str, sha256: str) -> None:
    found = file_sha256(part) if sha256 else ""
    if found != sha256.lower():
        part.unlink()
        what = f"{url} arrived with SHA-256 {found}, {sha256} was expected; it was removed"
        raise StorageError(what, remedy="run the same command again; should it repeat, the file was altered")


def _starts_at(response: httpx.Response, have: int) -> bool:
    return response.headers.get("content-range", "").startswith(f"bytes {have}-")


def _length(response: httpx.Response, start: int) -> int:
    """Bytes of the whole file, 0 where the server does not say."""
    length = int(response.headers.get("content-length", 0))
    return start + length if length else 0


def _passes(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _PASSING
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _said(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answers {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
