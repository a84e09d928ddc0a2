"""Code blocks of the documentation and where each of them is executed.

The line above a fenced block of commands or Python is one of these comments:

    <!-- run: PLACE -->         executed by the tests of that place, see ``PLACES``
    <!-- run: PLACE, NAME -->   the same, and a test of that name looks at the output
    <!-- not run: REASON -->    why no test executes it
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "workspace": "tests/docs/test_commands.py",  # a folder with a photo, photos in class folders and a bundle
    "predictor": "tests/docs/test_commands.py",  # the same, and a predictor on ports 8080 and 8081
    "gateway": "tests/docs/test_commands.py",  # the same, and a gateway on port 8000, its folder in `stack`
    "tutorial": "tests/slow/test_tutorial.py",  # all blocks of the page in order, in one shell
    "cluster": "tests/e2e",
}
LANGUAGES = ("", "sh", "bash", "console", "python", "js")
"""Languages of blocks that are to be executed; others are configuration or output."""

_MARK = re.compile(r"^ *<!-- (run|not run): (.+?) -->$")
_FENCE = re.compile(r"^( *)```(\w*)$")


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    Attributes:
        page: Path relative to the checkout.
        line: Number of its first line.
        language: As written after the fence.
        code: Its lines, without the indentation of the fence.
        place: Where it is executed; empty if it is not.
        name: Name of the check of its output; may be empty.
        reason: Why it is not executed; empty if it is.
    """

    page: str
    line: int
    language: str
    code: str
    place: str = ""
    name: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown file with commands: not the change log and the records of decisions."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    left_out = ("CHANGELOG.md", "docs/decisions/", "tests/", ".github/")
    return [ROOT / name for name in sorted(filter(None, listed)) if not name.startswith(left_out)]


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page, in order; raises AssertionError for a fence that is not closed."""
    lines = iter(enumerate(page.read_text().splitlines(), 1))
    mark = None
    for number, line in lines:
        if not (fence := _FENCE.match(line)):
            mark = _MARK.match(line) or (mark if not line.strip() else None)
            continue
        body = []
        for _, inner in lines:
            if inner.strip() == "```":
                break
            body.append(inner.removeprefix(fence[1]))
        else:
            raise AssertionError(f"{page}:{number}: the block is not closed")
        yield _block(page, number, fence[2], body, mark)
        mark = None


def _block(page: Path, line: int, language: str, body: list[str], mark: re.Match[str] | None) -> Block:
    code = "".join(f"{text}\n" for text in body)
    name = page.relative_to(ROOT).as_posix()
    if mark and mark[1] == "not run":
        return Block(name, line, language, code, reason=mark[2])
    place, _, check = mark[2].partition(", ") if mark else ("", "", "")
    return Block(name, line, language, code, place=place, name=check)


def blocks_of(place: str) -> list[Block]:
    """All blocks that are executed in a place."""
    return [block for page in pages() for block in blocks(page) if block.place == place]
