"""Downloads one large file over HTTP: resumes where it was cut, and is verified before it gets its name."""

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

STEP = 2**18  # bytes of one step of the progress bar
MAX_FAILURES = 6  # failures in a row, none of which brought a byte, before giving up
_TIMEOUT = httpx.Timeout(10, read=60)
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses that may be gone at the next try
_LOG = logging.getLogger(__name__)


def download(url: str, to: Path, *, max_bytes: int, sha256: str = "", pause: float = 0.5) -> Path:
    """Downloads ``url`` to ``to``; until it is whole, the file is ``to`` with ``.part`` appended.

    Args:
        url: Address of the file.
        to: Path of the file once it is whole and verified.
        max_bytes: A larger file is refused.
        sha256: Expected checksum; empty: not verified.
        pause: Seconds before the first retry; doubles with each failure that brings nothing.

    Returns:
        ``to``.

    Raises:
        StorageError: The file cannot be downloaded or written, is too large, or has another checksum. With
            another checksum what was downloaded is removed, and the next try starts anew.
    """
    part = to.with_name(f"{to.name}.part")
    failures = 0
    with explain_disk_errors(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        while not to.exists():
            before = _size(part)
            try:
                _continue(url, part, max_bytes)
                _check_hash(part, url, sha256)
                part.replace(to)
            except httpx.HTTPError as error:
                failures = 0 if _size(part) > before else failures + 1
                if failures >= MAX_FAILURES or not _is_transient(error):
                    what = f"cannot download {url}: {_describe(error)}"
                    raise StorageError(what, remedy=_remedy(error)) from error
                _LOG.info("%s: %s; trying again", url, _describe(error))
                time.sleep(pause * 2**failures)
    return to


def read_small(url: str) -> str | None:
    """The text of a small file, such as a checksum; None if the server has none.

    Raises:
        StorageError: The server cannot be reached.
    """
    try:
        response = httpx.get(url, follow_redirects=True, timeout=_TIMEOUT)
    except httpx.HTTPError as error:
        raise StorageError(f"cannot read {url}: {_describe(error)}", remedy="check the connection") from error
    return response.text if response.is_success else None


def head(url: str) -> str:
    """Entity tag, time and size of a file on a server, which change when the file does.

    Raises:
        StorageError: The server cannot be reached, or has no such file.
    """
    try:
        response = httpx.head(url, follow_redirects=True, timeout=_TIMEOUT).raise_for_status()
    except httpx.HTTPError as error:
        raise StorageError(f"cannot read {url}: {_describe(error)}", remedy="check the address") from error
    return " ".join(response.headers.get(name, "") for name in ("etag", "last-modified", "content-length"))


def _continue(url: str, part: Path, max_bytes: int) -> None:
    """Requests what is missing and appends it; a server that cannot resume sends the whole file anew."""
    have = _size(part)
    # A response that is compressed on the way ("identity" forbids it) would count other bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _check_end(response, part, have)
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT and _starts_at(response, have)
        start = have if resumed else 0
        expected = _length(response, start)
        _check_size(expected, max_bytes, url, part)
        with part.open("ab" if resumed else "wb") as file:
            steps = track(
                _write_steps(response, file),
                f"Downloading {part.name.removesuffix('.part')}",
                total=(expected - start) // STEP if expected else None,
            )
            for _ in steps:
                _check_size(file.tell(), max_bytes, url, part)


def _write_steps(response: httpx.Response, file: IO[bytes]) -> Iterator[int]:
    """Writes bytes as they arrive, so that a cut loses nothing; yields after each ``STEP`` bytes."""
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


def _check_end(response: httpx.Response, part: Path, have: int) -> None:
    """Handles "nothing after what you have": the part is the whole file, or part of another one."""
    if response.headers.get("content-range", "").rpartition("/")[2] != str(have):
        part.unlink()
        raise httpx.ReadError("the file on the server is another one: starting anew")


def _check_hash(part: Path, url: str, sha256: str) -> None:
    actual = file_sha256(part) if sha256 else ""
    if actual != sha256.lower():
        part.unlink()
        what = f"{url} arrived with SHA-256 {actual}, {sha256} was expected; it was removed"
        raise StorageError(what, remedy="run the same command again; should it repeat, the file was altered")


def _starts_at(response: httpx.Response, have: int) -> bool:
    return response.headers.get("content-range", "").startswith(f"bytes {have}-")


def _length(response: httpx.Response, start: int) -> int:
    """Bytes of the whole file; 0 if the server does not say."""
    length = int(response.headers.get("content-length", 0))
    return start + length if length else 0


def _remedy(error: httpx.HTTPError) -> str:
    if _is_transient(error):
        return "check the connection and run the same command again: it resumes"
    return "check the address, and whether it can be read without signing in"


def _is_transient(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _TRANSIENT
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _describe(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answers {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
