"""An environment for each peer: its own packages, and behind them the project's (torch above all)."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.serving.registry import Peer


class UnavailableError(Exception):
    """A peer cannot be had here; the message says why."""


def python_of(peer: Peer, folder: Path) -> Path:
    """The interpreter of a peer's environment, made if it is not there.

    Raises:
        UnavailableError: Its packages cannot be installed.
    """
    home = folder / peer.name.lower()
    python = home / "bin" / "python"
    if not (home / "whole").exists():
        _uv("venv", "--clear", "--python", sys.executable, str(home))
        if peer.requirements:
            _uv("pip", "install", "--python", str(python), *peer.requirements)
        site = next((home / "lib").glob("python*/site-packages"))
        (site / "project.pth").write_text(sysconfig.get_path("purelib") + "\n")
        (home / "whole").touch()
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments, "--quiet"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UnavailableError(f"uv {arguments[0]}: {done.stderr.strip()[-300:]}")
