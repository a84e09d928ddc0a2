"""A predictor and a gateway, each on CPUs of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from phytoflow.system.ports import free_port
from serving.gateway.auth.local_issuer import LocalIssuer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Servers:
    """What is measured.

    Attributes:
        predictor: Port of the predictor.
        gateway: Port of the gateway.
        gateway_pid: The gateway's process.
        token: A token for the gateway.
        cpus: CPUs of the predictor, and of the gateway and the load.
    """

    predictor: int
    gateway: int
    gateway_pid: int
    token: str
    cpus: tuple[set[int], set[int]]


@contextmanager
def started(
    bundle: Path,
    folder: Path,
    runtime: str,
    scopes: Sequence[str] = ("predict",),
    policy: str = "none",
) -> Iterator[Servers]:
    """Starts both, the predictor on half of the CPUs, the gateway and this process on the others.

    The gateway's folder is `gateway` in the given one; ``policy`` says which photos it stores.
    """
    cpus = sorted(os.sched_getaffinity(0))
    half = max(1, len(cpus) // 2)
    theirs, ours = set(cpus[:half]), set(cpus[half:]) or set(cpus)
    ports = free_port(), free_port()
    with ExitStack() as stack:
        command = ["serving.predictor", f"--bundle={bundle}", f"--runtime={runtime}", "--host=127.0.0.1"]
        command += [f"--http_port={ports[0]}", f"--grpc_port={ports[1]}", "--log_level=WARNING"]
        stack.enter_context(server_process(command, theirs, folder / "predictor.log", {}))
        await_answer(f"http://127.0.0.1:{ports[0]}/v2/models/leaf/ready")
        directory = folder / "gateway"
        port, pid = stack.enter_context(gateway_process(directory, ports[0], ours, policy=policy))
        token = LocalIssuer.open(directory).token("benchmark", list(scopes))
        os.sched_setaffinity(0, ours)
        yield Servers(ports[0], port, pid, token, (theirs, ours))
        os.sched_setaffinity(0, set(cpus))


@contextmanager
def gateway_process(
    directory: Path,
    predictor: int,
    cpus: set[int],
    module: str = "serving.gateway",
    policy: str = "none",
) -> Iterator[tuple[int, int]]:
    """A gateway before the predictor of a port; its own port, and its process."""
    port = free_port()
    settings = {
        "UPSTREAM__CHAMPION": f"http://127.0.0.1:{predictor}",
        "SERVER__PORT": str(port),
        "LIMITS__PHOTOS_PER_MINUTE": "1000000000",
        "PHOTOS__POLICY": policy,
    }
    environment = {f"PHYTOFLOW_GATEWAY__{name}": value for name, value in settings.items()}
    command = [module, "serve", "--directory", str(directory)]
    with server_process(command, cpus, directory.with_suffix(".log"), environment) as process:
        await_answer(f"http://127.0.0.1:{port}/readyz")
        yield port, process.pid


@contextmanager
def server_process(
    arguments: list[str], cpus: set[int], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            stdout=file,
            stderr=file,
            env=os.environ | environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def await_answer(url: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer")


def peak_memory(pid: int) -> int:
    """Largest resident size since ``reset_peak``, in bytes."""
    return _status(pid, "VmHWM")


def memory(pid: int) -> int:
    """Resident size, in bytes."""
    return _status(pid, "VmRSS")


def reset_peak(pid: int) -> None:
    """Lets the kernel measure the peak from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no {name} of process {pid}")
