"""The project's wheel, built and installed into environments of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


def build_wheel(folder: Path) -> Path:
    """Builds the wheel of this checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, *requirements: str) -> Path:
    """Makes a virtual environment and installs into it; returns its folder of commands."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    command = [
        str(UV),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(folder / "bin" / "python"),
        *requirements,
    ]
    subprocess.run(command, check=True)
    return folder / "bin"


def site_packages(commands: Path) -> Path:
    """Where an environment keeps its packages."""
    (folder,) = (commands.parent / "lib").glob("python*/site-packages")
    return folder
