"""How a server is started: its command line and its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.serving.environments import python_of
from benchmarks.serving.registry import OURS, Peer

ROOT = Path(__file__).resolve().parents[2]
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_MMAP_THRESHOLD_": "33554432"}
_MALLOC |= {"MALLOC_TOP_PAD_": "67108864"}


def command_of(peer: Peer, form: str, workers: int, port: int, output: Path) -> list[str]:
    """Command line of ours or of a peer.

    Raises:
        UnavailableError: A peer's environment cannot be installed.
    """
    return (
        _ours(peer, form, port, output)
        if peer.name == OURS.name
        else _peer(peer, form, workers, port, output)
    )


def _ours(peer: Peer, form: str, port: int, output: Path) -> list[str]:
    command = [sys.executable, "-m", peer.module, "--bundle", str(output / "bundle")]
    options = {
        "http_port": port,
        "grpc_port": 0,
        "model_name": "leaf",
        "runtime": form,
        "log_level": "WARNING",
    }
    return [*command, *(f"--{name}={value}" for name, value in options.items())]


def _peer(peer: Peer, form: str, workers: int, port: int, output: Path) -> list[str]:
    python = python_of(peer, output / "environments")
    options = {"work": output, "port": port, "form": form, "workers": workers}
    module = f"benchmarks.serving.peers.{peer.module}"
    return [str(python), "-m", module, *(f"--{name}={value}" for name, value in options.items())]


def environment_of(peer: Peer, workers: int, checkout: Path) -> dict[str, str]:
    """Ours sets its own; peers get what is known to help them."""
    environment = dict(os.environ)
    if peer.name == OURS.name:
        return environment | {"PYTHONPATH": str(checkout)}
    environment |= _MALLOC | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    environment |= {"OMP_WAIT_POLICY": "PASSIVE"}  # torch's threads spin otherwise, and take the others' CPU
    environment |= {"BENTOML_DO_NOT_TRACK": "true", "KSERVE_LOGLEVEL": "WARNING"}
    return environment | ({"OMP_NUM_THREADS": "1"} if workers > 1 else {})
