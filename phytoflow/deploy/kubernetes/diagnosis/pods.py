"""Diagnosis of one pod of a predictor."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from phytoflow.deploy.kubernetes.diagnosis.storage import diagnose_storage

if TYPE_CHECKING:
    from phytoflow.deploy.kubernetes.observe import Observation

CONTAINER = "kserve-container"
INITIALIZER = "storage-initializer"
_IMAGE_ERRORS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
}
_CONFIG_ERRORS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_EXIT_SIGKILL = 137  # 128 + SIGKILL
_LOG_LINES = 8  # of a container's log, quoted in a message
_LINE_LENGTH = 400  # characters of a quoted line


@dataclass(frozen=True)
class Reason:
    """Why something is not ready.

    Attributes:
        kind: A short, stable category.
        message: What is wrong.
        remedy: What to do.
    """

    kind: str
    message: str
    remedy: str


def diagnose_pod(
    pod: dict[str, Any], observation: Observation, startup_timeout_seconds: float
) -> Reason | None:
    """Finds the fault of a pod.

    Args:
        pod: The pod as JSON.
        observation: Its events and logs.
        startup_timeout_seconds: A container that runs this long without becoming ready has failed.

    Returns:
        The fault, or None if the pod is ready or still starting.
    """
    if fault := _scheduling_fault(pod, observation):
        return fault
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        if fault := _container_fault(pod, container, observation, startup_timeout_seconds):
            return fault
    return _mount_fault(pod, observation)


def _scheduling_fault(pod: dict[str, Any], observation: Observation) -> Reason | None:
    conditions = {c["type"]: c for c in pod.get("status", {}).get("conditions", [])}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    if "TriggeredScaleUp" in {event.get("reason") for event in events_of(pod, observation)}:
        return None  # the cluster autoscaler is adding a node
    message = str(scheduled.get("message", ""))
    gpus = sorted({k for k in _limits(pod) if "/" in k})
    if gpus:
        remedy = (
            f"free a node's {gpus[0]}, ask for fewer (deploy.accelerators), or compare deploy.node_selector "
            "and deploy.tolerations with `kubectl describe nodes`"
        )
        return Reason("gpu", f"no node can give the predictor its GPU ({gpus[0]}): {message}", remedy)
    remedy = "ask for less (deploy.cpu_request, deploy.memory_request), add a node, or check the selector"
    return Reason("unschedulable", f"no node can take the predictor's pod: {message}", remedy)


def _container_fault(
    pod: dict[str, Any], container: dict[str, Any], observation: Observation, startup_timeout_seconds: float
) -> Reason | None:
    waiting = container.get("state", {}).get("waiting", {})
    if waiting.get("reason") in _IMAGE_ERRORS:
        return _image_fault(container, pod, observation)
    if waiting.get("reason") in _CONFIG_ERRORS:
        remedy = "see `kubectl describe pod`: often a Secret or ConfigMap is missing"
        what = f"{container['name']} cannot be created: {waiting.get('message', '')}"
        return Reason("container", what, remedy)
    if container.get("ready") or container.get("state", {}).get("terminated", {}).get("exitCode") == 0:
        return None
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
    if ended:
        return _termination_fault(pod, container, ended, observation)
    return _startup_fault(pod, container, observation, startup_timeout_seconds)


def _image_fault(container: dict[str, Any], pod: dict[str, Any], observation: Observation) -> Reason:
    """The image cannot be pulled. While the kubelet backs off, only an earlier event has the cause."""
    messages = [container["state"]["waiting"].get("message", "")]
    messages += [e.get("message", "") for e in events_of(pod, observation) if e.get("reason") == "Failed"]
    cause = next((text for text in reversed(messages) if "failed to" in text.lower()), messages[0])
    remedy = "check deploy.image (or the runtime's image), its tag, and the imagePullSecrets of the namespace"
    what = f"the image {container.get('image', '')} cannot be pulled: {cause[:_LINE_LENGTH]}"
    return Reason("image", what, remedy)


def _termination_fault(
    pod: dict[str, Any], container: dict[str, Any], ended: dict[str, Any], observation: Observation
) -> Reason:
    name = pod["metadata"]["name"]
    if ended.get("reason") == "OOMKilled":
        return _memory_fault(pod, container)
    if container["name"] == INITIALIZER:  # KServe configures it to write the end of its log into its status
        log = ended.get("message") or observation.logs(name, INITIALIZER, False)
        return Reason(*diagnose_storage(log, pod))
    log = ended.get("message") or _final_log(container, name, observation)
    events = events_of(pod, observation)
    killed = any("probe" in e.get("message", "") and e["reason"] == "Killing" for e in events)
    if killed or ended.get("exitCode") == _EXIT_SIGKILL:
        return _probe_fault(pod, observation, log)
    status = ended.get("exitCode")
    what = f"the predictor exits with status {status} at its start; end of its log:\n{format_log(log)}"
    return Reason("crash", what, _remedy_in(log) or "start it by hand: phytoflow serve --bundle URI")


def _final_log(container: dict[str, Any], pod: str, observation: Observation) -> str:
    """The log of the run that ended, for runtimes that do not write its end into the status as ours does."""
    previous = bool({"running", "waiting"} & container.get("state", {}).keys())
    # The container may have restarted since it was observed. Its log is then the previous one.
    name, read = container["name"], observation.logs
    return read(pod, name, previous) or read(pod, name, not previous)


def _memory_fault(pod: dict[str, Any], container: dict[str, Any]) -> Reason:
    if container["name"] == CONTAINER:
        what = f"the predictor ran out of memory (limit {_limits(pod).get('memory', 'unknown')})"
        return Reason("memory", what, "raise deploy.memory, or serve a smaller model")
    remedy = "raise its limit (kubectl edit clusterstoragecontainer default)"
    return Reason("memory", f"{container['name']} ran out of memory while it fetched the bundle", remedy)


def _startup_fault(
    pod: dict[str, Any], container: dict[str, Any], observation: Observation, startup_timeout_seconds: float
) -> Reason | None:
    """The predictor has run for too long without becoming ready."""
    since = container.get("state", {}).get("running", {}).get("startedAt")
    if container["name"] != CONTAINER or not since or _age(since) < startup_timeout_seconds:
        return None
    return _probe_fault(pod, observation, observation.logs(pod["metadata"]["name"], CONTAINER, False))


def _probe_fault(pod: dict[str, Any], observation: Observation, log: str) -> Reason:
    failed = [e.get("message", "") for e in events_of(pod, observation) if e.get("reason") == "Unhealthy"]
    what = f"the predictor's probe fails: {failed[-1] if failed else 'it is not ready'}; end of its log:"
    remedy = "raise deploy.cpu and deploy.startup_timeout_seconds if it is only slow; else look at its log"
    return Reason("probe", f"{what}\n{format_log(log)}", remedy)


def _mount_fault(pod: dict[str, Any], observation: Observation) -> Reason | None:
    failed = [e for e in events_of(pod, observation) if e.get("reason") == "FailedMount"]
    if not failed or pod.get("status", {}).get("phase") != "Pending":
        return None
    remedy = "create the Secret, ConfigMap or volume that it names"
    return Reason("volume", f"a volume of the predictor cannot be mounted: {failed[-1]['message']}", remedy)


def events_of(pod: dict[str, Any], observation: Observation) -> list[dict[str, Any]]:
    """Returns the events about a pod, oldest first."""
    return [e for e in observation.events if e["involvedObject"].get("name") == pod["metadata"]["name"]]


def format_log(text: str) -> str:
    """Returns the last lines of a log, indented. Structured lines are reduced to their message."""
    lines = [_message_of(line) for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line[:_LINE_LENGTH]}" for line in lines[-_LOG_LINES:]) or "    (no log)"


def _message_of(line: str) -> str:
    try:
        return str(json.loads(line)["message"]).replace("\n", " ")
    except (ValueError, KeyError, TypeError):
        return line


def _limits(pod: dict[str, Any]) -> dict[str, str]:
    container: dict[str, Any] = next((c for c in pod["spec"]["containers"] if c["name"] == CONTAINER), {})
    return dict(container.get("resources", {}).get("limits", {}))


def _remedy_in(log: str) -> str:
    """The remedy that the predictor's own error gave. Empty if there is none."""
    remedies = re.findall(r"What to do: (.+)", format_log(log))
    return str(remedies[-1]) if remedies else ""


def _age(timestamp: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()
