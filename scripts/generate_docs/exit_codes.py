"""The page of exit codes."""

from __future__ import annotations

from phytoflow.errors import EXIT_CODES
from scripts.generate_docs.markdown import NOTE, cell, table

_INTRODUCTION = """# Exit codes

Commands print what went wrong and what to do about it, and exit with one of these codes.
"""


def exit_codes() -> str:
    """The exit codes of the command."""
    rows = ([str(code), cell(meaning)] for code, meaning in sorted(EXIT_CODES.items()))
    return "\n".join([NOTE, _INTRODUCTION, table(["code", "meaning"], rows)])
