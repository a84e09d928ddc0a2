"""The page of exit codes."""

from __future__ import annotations

from collections.abc import Iterator

import pipelines.submit  # noqa: F401 (its errors have a code of their own)
from phytoflow.errors import PhytoflowError
from scripts.generate_docs.markdown import NOTE, cell, table

_INTRODUCTION = """# Exit codes

Commands print what went wrong and what to do about it, and exit with one of these codes.
"""
_OUTCOMES = {0: "Done.", 1: "An unforeseen error.", 130: "Interrupted with Ctrl-C."}


def exit_codes() -> str:
    """The exit codes of the command, with the errors that cause them."""
    meanings = dict(_OUTCOMES)
    for error in _subclasses(PhytoflowError):
        meanings.setdefault(error.exit_code, (error.__doc__ or "").partition("\n")[0])
    rows = ([str(code), cell(meaning)] for code, meaning in sorted(meanings.items()))
    return "\n".join([NOTE, _INTRODUCTION, table(["code", "meaning"], rows)])


def _subclasses(parent: type[PhytoflowError]) -> Iterator[type[PhytoflowError]]:
    """Errors by class, a parent before its children, whose codes it shares."""
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
