"""Layers, circles and the width of folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import grimp

from scripts.house.tree import PACKAGES, ROOT, tracked_files

WIDEST = 16
_INSTALLED = tuple(name for name in PACKAGES if name != "scripts")


@cache
def circle_of_files(packages: tuple[str, ...] = _INSTALLED) -> list[str]:
    """Returns the modules of a circle of imports, or nothing if there is none.

    Imports inside functions and for type checking count.
    """
    graph = grimp.build_graph(*packages, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) - {module} for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@cache
def check_contracts() -> tuple[bool, str]:
    """Runs the contracts in ``pyproject.toml`` under ``tool.importlinter``.

    Returns:
        Whether all are kept, and the linter's output.
    """
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def widest_folder(root: Path = ROOT) -> tuple[str, int]:
    """Returns the folder with the most Python files, and their number."""
    folders = Counter(str(PurePosixPath(name).parent) for name in tracked_files(root) if name.endswith(".py"))
    return folders.most_common(1)[0]
