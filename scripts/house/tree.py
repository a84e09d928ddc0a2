"""Files of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("phytoflow", "components", "pipelines", "serving", "benchmarks", "scripts")


def tracked_files(root: Path = ROOT) -> list[str]:
    """Files that git tracks or that are new and not ignored, relative to the root and sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in set(listed.splitlines()) if (root / name).is_file())


def modules(root: Path = ROOT) -> list[str]:
    """Python modules of the packages, relative to the root; without ``__init__.py``."""
    return [
        name
        for name in tracked_files(root)
        if name.endswith(".py") and name.split("/")[0] in PACKAGES and not name.endswith("/__init__.py")
    ]
