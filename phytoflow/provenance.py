"""Which code made this, when, and by which command."""

from __future__ import annotations

import functools
import hashlib
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from phytoflow import __version__

_SOURCES = (".py", ".html", ".css")


@functools.cache
def code_version() -> str:
    """Release and content hash of the package, e.g. ``0.1.0+3f9a1c0b7d22``.

    The hash makes caches honest: an image rebuilt under the same tag is another version. A wheel's
    ``_outer`` packages do not count, so that wheel and checkout of the same code agree.
    """
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.suffix in _SOURCES and not {"__pycache__", "_outer"} & set(name.parts):
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def command_line() -> str:
    """The command that this process runs, as a shell takes it."""
    program = Path(sys.argv[0]).name
    return shlex.join(["phytoflow" if program == "__main__.py" else program, *sys.argv[1:]])


def now() -> str:
    """UTC time, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
