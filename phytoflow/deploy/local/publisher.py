"""Publishes on this machine: starts the predictor, verifies its answers, then ends the previous one."""

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
from phytoflow.deploy.local.process import PREDICTOR_MODULE, PredictorProcess
from phytoflow.deploy.settings import ServingSettings
from phytoflow.errors import ServingError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.tolerance import allowed_difference
from phytoflow.outer_packages import environment_for
from phytoflow.system.ports import check_free, free_port

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_LOG_LINES = 15  # of the predictor's log, quoted in an error


@dataclass(frozen=True)
class Published:
    """A predictor that answers.

    Attributes:
        url: REST address.
        grpc: Host and port of gRPC.
        name: Name of the served model.
        pid: Process id.
        version: Bundle version.
        log: Log file.
        compared: Number of answers compared with the offline ones.
        max_difference: Largest absolute difference of a probability.
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
    """Starts a predictor, verifies that it answers as the bundle does offline, and ends the previous one.

    Args:
        bundle: Folder of the bundle.
        settings: Name, ports, runtime and timeout.
        state: JSON file that records the process. Its log is written next to it.
        photos: Photos to compare.

    Raises:
        ServingError: A port is taken, the process ended or was not ready in time, or its answers differ. The
            new process is stopped, and the previous one, if any, goes on serving.
    """
    version = Bundle.load(bundle).manifest.version
    previous = PredictorProcess.read(state)
    _release_ports(previous, settings, state)
    ports = (settings.http_port or free_port(), settings.grpc_port or free_port())
    log = state.with_suffix(".log")
    process = _start(bundle, settings, ports, log)
    new = PredictorProcess.of(process.pid, ports, version)
    try:
        new.write(_starting(state))
        _wait_until_ready(process, new, settings, log)
        published = _verify(new, bundle, settings, photos, log)
    except BaseException:
        new.terminate()
        _starting(state).unlink(missing_ok=True)
        raise
    new.write(state)
    _starting(state).unlink(missing_ok=True)
    if previous:
        previous.terminate()
    return published


def stop(state: Path) -> bool:
    """Ends the predictor of a state file.

    Returns:
        Whether one was running.
    """
    stopped = False
    for file in (state, _starting(state)):
        predictor = PredictorProcess.read(file)
        if predictor and predictor.is_running:
            predictor.terminate()
            stopped = True
        file.unlink(missing_ok=True)
    return stopped


def _release_ports(previous: PredictorProcess | None, settings: ServingSettings, state: Path) -> None:
    """Ends what a killed publish left behind, and the previous predictor if it holds a needed port."""
    abandoned = PredictorProcess.read(_starting(state))
    if abandoned and abandoned.is_running:
        abandoned.terminate()
    wanted = {port for port in (settings.http_port, settings.grpc_port) if port}
    if previous and previous.is_running and wanted & {previous.http_port, previous.grpc_port}:
        _LOG.info("the previous predictor holds the requested port and is ended before the new one starts")
        previous.terminate()
    for port, name in ((settings.http_port, "serving.http_port"), (settings.grpc_port, "serving.grpc_port")):
        if port:
            check_free(port, name)


def _start(
    bundle: Path, settings: ServingSettings, ports: tuple[int, int], log: Path
) -> subprocess.Popen[bytes]:
    """Starts the process in a session of its own and with none of our pipes, so that it outlives us."""
    # -P: nothing is imported from the folder that the run was started in.
    command = [sys.executable, "-P", "-m", PREDICTOR_MODULE, "--bundle", str(bundle.resolve())]
    command += ["--model_name", settings.name, "--runtime", settings.runtime]
    command += ["--http_port", str(ports[0]), "--grpc_port", str(ports[1])]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            env=environment_for("serving"),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def _wait_until_ready(
    process: subprocess.Popen[bytes], new: PredictorProcess, settings: ServingSettings, log: Path
) -> None:
    deadline = time.monotonic() + settings.ready_timeout_seconds
    with Client(_url(new), settings.name) as client:
        while not client.ready():
            if (status := process.poll()) is not None:
                what = f"the predictor ended with status {status} before it was ready; the end of {log}:"
                remedy = "start it by hand with `phytoflow serve` to look closer"
                raise ServingError(f"{what}\n{_tail(log)}", remedy=remedy)
            if time.monotonic() > deadline:
                seconds = settings.ready_timeout_seconds
                what = f"the predictor was not ready within {seconds:g} s; the end of {log}:\n{_tail(log)}"
                raise ServingError(what, remedy="raise serving.ready_timeout_seconds on a slow machine")
            time.sleep(_POLL_SECONDS)


def _verify(
    new: PredictorProcess,
    bundle: Path,
    settings: ServingSettings,
    photos: Sequence[LabelledPhoto],
    log: Path,
) -> Published:
    """Compares the answers of the new process with those of the bundle in this process."""
    contents = [photo.content for photo in photos]
    with Client(_url(new), settings.name) as client:
        predictions = client.predict(contents)
    served = np.array([prediction.probabilities for prediction in predictions], np.float32)
    classifier = Classifier.load(bundle, settings.runtime)
    difference = _largest_difference(served, classifier.predict(contents).probabilities)
    allowed = allowed_difference(classifier.bundle.manifest, classifier.choice.precision)
    if not difference <= allowed:  # also true for NaN
        what = f"the predictor's answers differ from the bundle's by {difference:.2e}"
        remedy = f"see its log {log}; try serving.runtime=onnx"
        raise ServingError(f"{what}, more than {allowed:g}", remedy=remedy)
    if any(prediction.model_version != new.version for prediction in predictions):
        raise ServingError(f"{_url(new)} answers with another version than {new.version}")
    return Published(
        url=_url(new),
        grpc=f"127.0.0.1:{new.grpc_port}",
        name=settings.name,
        pid=new.pid,
        version=new.version,
        log=log,
        compared=len(predictions),
        max_difference=difference,
    )


def _url(predictor: PredictorProcess) -> str:
    return f"http://127.0.0.1:{predictor.http_port}"


def _largest_difference(served: NDArray[np.float32], offline: NDArray[np.float32]) -> float:
    if served.shape != offline.shape:
        return float("inf") if len(offline) else 0.0
    return float(np.abs(served - offline).max(initial=0.0))


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return "(no log)"


def _starting(state: Path) -> Path:
    """The state file of a process that was not verified yet."""
    return state.with_name(f"{state.name}.starting")
