"""The index of the records of decisions."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.generate_docs.markdown import NOTE, ROOT, table

_INTRODUCTION = """# Decisions

Each record says what was decided, why, and what else was considered ([MADR](https://adr.github.io/madr/),
short form). When a decision is reversed, the status of the old record names the new one.
"""


def decisions() -> str:
    """An index of the records, with the status of each."""
    rows = map(_row, sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")))
    return "\n".join([NOTE, _INTRODUCTION, table(["", "decision", "status"], rows)])


def _row(path: Path) -> list[str]:
    text = path.read_text()
    title = re.search(r"^# (\d{4}) (.+)$", text, re.MULTILINE)
    status = re.search(r"^- Status: (.+)$", text, re.MULTILINE)
    if not title or not status:
        raise ValueError(f"{path} has no title with a number, or no status")
    return [title[1], f"[{title[2]}]({path.name})", status[1]]
