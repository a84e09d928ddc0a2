"""Publishing on this machine: the real predictor as a process of its own, asked before it counts."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.client.rest_client import Client
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.deploy.local.process import PREDICTOR_MODULE, Predictor
from phytoflow.deploy.settings import ServingSettings
from phytoflow.errors import ServingError
from phytoflow.inference.classifier import Classifier
from phytoflow.system.ports import check_free, free_port

TOLERANCE = 1e-3
OUTER = Path(__file__).resolve().parents[3]
"""The checkout or image that holds ``serving`` beside this package."""
_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_TAIL_LINES = 15


@dataclass(frozen=True)
class Published:
    """A predictor that answers.

    Attributes:
        url: REST.
        grpc: Host and port of gRPC.
        name: Of the served model.
        pid: Of its process.
        version: Of the bundle.
        log: Its log file.
        compared: Answers compared with the offline ones.
        max_difference: Largest difference of a probability.
    """

    url: str
    grpc: str
    name: str
    pid: int
    version: str
    log: Path
    compared: int
    max_difference: float


def publish(
    bundle: Path, settings: ServingSettings, state: Path, photos: Sequence[LabelledPhoto]
) -> Published:
    """Starts a predictor, waits until it answers photos as the bundle does offline, then ends the former one.

    Args:
        bundle: What is served.
        settings: Name, ports, runtime and patience.
        state: JSON file that remembers the process; its log is beside it.
        photos: Asked over V2 and compared.

    Raises:
        ServingError: A port is taken, the process died or is not ready in time, or its answers differ. The
            new process is then stopped and the former one, if any, goes on.
    """
    version = Bundle.load(bundle).manifest.version
    former = Predictor.read(state)
    _release_ports(former, settings, state)
    ports = (settings.http_port or free_port(), settings.grpc_port or free_port())
    log = state.with_suffix(".log")
    process = _start(bundle, settings, ports, log)
    new = Predictor.of(process.pid, ports, version)
    try:
        new.write(_starting(state))
        published = _asked(process, new, bundle, settings, photos, log)
    except BaseException:
        new.end()
        _starting(state).unlink(missing_ok=True)
        raise
    new.write(state)
    _starting(state).unlink(missing_ok=True)
    if former:
        former.end()
    return published


def stop(state: Path) -> bool:
    """Ends the predictor of a state file.

    Returns:
        Whether one was running.
    """
    stopped = False
    for file in (state, _starting(state)):
        predictor = Predictor.read(file)
        if predictor and predictor.runs:
            predictor.end()
            stopped = True
        file.unlink(missing_ok=True)
    return stopped


def _release_ports(former: Predictor | None, settings: ServingSettings, state: Path) -> None:
    """Ends what a killed publish left starting, and the former predictor where both need one port."""
    left = Predictor.read(_starting(state))
    if left and left.runs:
        left.end()
    wanted = {port for port in (settings.http_port, settings.grpc_port) if port}
    if former and former.runs and wanted & {former.http_port, former.grpc_port}:
        _LOG.info("the former predictor holds the port asked for: it is ended before the new one starts")
        former.end()
    for port, name in ((settings.http_port, "serving.http_port"), (settings.grpc_port, "serving.grpc_port")):
        if port:
            check_free(port, name)


def _start(
    bundle: Path, settings: ServingSettings, ports: tuple[int, int], log: Path
) -> subprocess.Popen[bytes]:
    """Starts the process in a session of its own, holding none of our pipes: it outlives this one."""
    if not (OUTER / "serving" / "__init__.py").exists():
        remedy = "run phytoflow from a checkout of the project (pip install -e), or from its image"
        raise ServingError(
            f"the `serving` folder is not beside the phytoflow package in {OUTER}", remedy=remedy
        )
    command = [sys.executable, "-m", PREDICTOR_MODULE, "--bundle", str(bundle.resolve())]
    command += ["--model_name", settings.name, "--runtime", settings.runtime]
    command += ["--http_port", str(ports[0]), "--grpc_port", str(ports[1])]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=OUTER, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )


def _asked(
    process: subprocess.Popen[bytes],
    new: Predictor,
    bundle: Path,
    settings: ServingSettings,
    photos: Sequence[LabelledPhoto],
    log: Path,
) -> Published:
    url = f"http://127.0.0.1:{new.http_port}"
    with Client(url, settings.name) as client:
        _await_ready(process, client, settings.ready_timeout_seconds, log)
        answers = client.predict([photo.content for photo in photos])
    served = np.array([answer.probabilities for answer in answers], np.float32)
    offline = Classifier.load(bundle, settings.runtime).predict([photo.content for photo in photos])
    difference = _difference(served, offline.probabilities)
    if not difference <= TOLERANCE:
        what = (
            f"the predictor's answers differ from the bundle's by {difference:.2e}, more than {TOLERANCE:g}"
        )
        raise ServingError(what, remedy=f"see its log {log}; try serving.runtime=onnx")
    if any(answer.model_version != new.version for answer in answers):
        raise ServingError(f"{url} answers with another version than {new.version}")
    return Published(
        url=url,
        grpc=f"127.0.0.1:{new.grpc_port}",
        name=settings.name,
        pid=new.pid,
        version=new.version,
        log=log,
        compared=len(answers),
        max_difference=difference,
    )


def _difference(served: NDArray[np.float32], offline: NDArray[np.float32]) -> float:
    if served.shape != offline.shape:
        return float("inf") if len(offline) else 0.0
    return float(np.abs(served - offline).max(initial=0.0))


def _await_ready(process: subprocess.Popen[bytes], client: Client, seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not client.ready():
        if (status := process.poll()) is not None:
            what = (
                f"the predictor ended with status {status} before it was ready; end of {log}:\n{_tail(log)}"
            )
            raise ServingError(what, remedy="start it by hand with `phytoflow serve` to look closer")
        if time.monotonic() > deadline:
            what = f"the predictor was not ready within {seconds:g} s; the end of {log}:\n{_tail(log)}"
            raise ServingError(what, remedy="raise serving.ready_timeout_seconds on a slow machine")
        time.sleep(_POLL_SECONDS)


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return "(no log)"


def _starting(state: Path) -> Path:
    """Remembers a process that has not been found good yet."""
    return state.with_name(f"{state.name}.starting")
