"""Tests mirror the tree: each module has a test of its name, or a listed reason why not."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scripts.house.tree import ROOT, modules

LIST = Path(__file__).with_name("untested.toml")


class Mirror(NamedTuple):
    """Modules and their tests.

    Attributes:
        tested: Number of modules that have a test of their name.
        listed: Number of modules without one that are listed with a reason.
        missing: Modules without a test and without a reason, with the path of the test to write.
        stale: Entries of the list that are wrong, and why.
    """

    tested: int
    listed: int
    missing: list[str]
    stale: list[str]


def mirror(root: Path = ROOT, exceptions: Path = LIST) -> Mirror:
    """Compares modules, tests and the list of exceptions.

    An entry for a module that has got a test is not a fault: it has no effect.
    """
    reasons, every = _reasons(exceptions), modules(root)
    without = [module for module in every if not (root / own_test(module)).exists()]
    missing = [f"{module}: write {own_test(module)}" for module in without if module not in reasons]
    stale = [f"{module} is listed but does not exist" for module in sorted(reasons.keys() - {*every})]
    named = sorted({test for tests in reasons.values() for test in tests})
    stale += [
        f"{test} is named in {exceptions.name} but does not exist"
        for test in named
        if not (root / test).exists()
    ]
    return Mirror(len(every) - len(without), len(without) - len(missing), missing, stale)


def own_test(module: str) -> str:
    """Path of the test that has a module's name."""
    path = PurePosixPath(module.removeprefix("phytoflow/"))
    return str(PurePosixPath("tests") / path.parent / f"test_{path.name.replace('__main__', 'main')}")


def _reasons(exceptions: Path) -> dict[str, list[str]]:
    """Listed modules, each with the tests that cover it."""
    reasons: dict[str, list[str]] = {}
    for entry in tomllib.loads(exceptions.read_text())["exceptions"]:
        reasons |= dict.fromkeys(entry["modules"], entry["tests"])
    return reasons
