"""Why one pod of a predictor is not ready."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from phytoflow.deploy.kubernetes.diagnosis import storage as storage

if TYPE_CHECKING:
    from phytoflow.deploy.kubernetes.observe import Observed

CONTAINER = "kserve-container"
INITIALIZER = "storage-initializer"
_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_KILLED = 137  # 128 + SIGKILL
_TAIL = 8


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


def why_not_ready(pod: dict[str, Any], seen: Observed, startup_timeout_seconds: float) -> Reason | None:
    """The reason, or None while the pod is ready or merely on its way.

    Args:
        pod: The pod as JSON.
        seen: Gives its events and logs.
        startup_timeout_seconds: A container that runs this long without becoming ready has failed.
    """
    if fault := _scheduling(pod, seen):
        return fault
    status = pod.get("status", {})
    for one in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        if fault := _container(pod, one, seen, startup_timeout_seconds):
            return fault
    return _mounts(pod, seen)


def _scheduling(pod: dict[str, Any], seen: Observed) -> Reason | None:
    conditions = {c["type"]: c for c in pod.get("status", {}).get("conditions", [])}
    found = conditions.get("PodScheduled", {})
    if found.get("status") != "False" or found.get("reason") != "Unschedulable":
        return None
    if "TriggeredScaleUp" in {event.get("reason") for event in events_of(pod, seen)}:
        return None  # a node is on its way
    message = str(found.get("message", ""))
    gpus = sorted({k for k in _limits(pod) if "/" in k})
    if gpus:
        remedy = (
            f"free a node's {gpus[0]}, ask for fewer (deploy.accelerators), or compare deploy.node_selector "
            "and deploy.tolerations with `kubectl describe nodes`"
        )
        return Reason("gpu", f"no node can give the predictor its GPU ({gpus[0]}): {message}", remedy)
    remedy = "ask for less (deploy.cpu_request, deploy.memory_request), add a node, or check the selector"
    return Reason("unschedulable", f"no node can take the predictor's pod: {message}", remedy)


def _container(
    pod: dict[str, Any], one: dict[str, Any], seen: Observed, startup_timeout_seconds: float
) -> Reason | None:
    waiting = one.get("state", {}).get("waiting", {})
    if waiting.get("reason") in _IMAGE:
        return _image(one, pod, seen)
    if waiting.get("reason") in _CONFIG:
        remedy = "see `kubectl describe pod`: often a Secret or ConfigMap that is not there"
        return Reason("container", f"{one['name']} cannot be made: {waiting.get('message', '')}", remedy)
    if one.get("ready") or one.get("state", {}).get("terminated", {}).get("exitCode") == 0:
        return None
    ended = one.get("state", {}).get("terminated") or one.get("lastState", {}).get("terminated")
    if ended:
        return _ended(pod, one, ended, seen)
    return _slow(pod, one, seen, startup_timeout_seconds)


def _image(one: dict[str, Any], pod: dict[str, Any], seen: Observed) -> Reason:
    """The kubelet's last word on the image; while it backs off, only the event before has the cause."""
    said = [one["state"]["waiting"].get("message", "")]
    said += [e.get("message", "") for e in events_of(pod, seen) if e.get("reason") == "Failed"]
    cause = next((text for text in reversed(said) if "failed to" in text.lower()), said[0])
    remedy = "check deploy.image (or the runtime's image), its tag, and the imagePullSecrets of the namespace"
    return Reason("image", f"the image {one.get('image', '')} cannot be pulled: {cause[:400]}", remedy)


def _ended(pod: dict[str, Any], one: dict[str, Any], ended: dict[str, Any], seen: Observed) -> Reason:
    name = pod["metadata"]["name"]
    if ended.get("reason") == "OOMKilled":
        return _out_of_memory(pod, one)
    if one["name"] == INITIALIZER:  # KServe has it leave the end of its log as its last message
        return Reason(*storage.why(ended.get("message") or seen.logs(name, INITIALIZER, False), pod))
    said = ended.get("message") or _log_of_end(one, name, seen)
    killed = [e for e in events_of(pod, seen) if "probe" in e.get("message", "") and e["reason"] == "Killing"]
    if killed or ended.get("exitCode") == _KILLED:
        return _probe(pod, seen, said)
    what = (
        f"the predictor ends with status {ended.get('exitCode')} at its start; its last words:\n{tail(said)}"
    )
    return Reason("crash", what, _remedy_in(said) or "start it by hand: phytoflow serve --bundle URI")


def _log_of_end(one: dict[str, Any], pod: str, seen: Observed) -> str:
    """Where a runtime does not leave the end of its log in its status, as the project's does."""
    before = bool({"running", "waiting"} & one.get("state", {}).keys())
    # It may have been started again since it was looked at: then its words are on the other side.
    return seen.logs(pod, one["name"], before) or seen.logs(pod, one["name"], not before)


def _out_of_memory(pod: dict[str, Any], one: dict[str, Any]) -> Reason:
    if one["name"] == CONTAINER:
        what = f"the predictor ran out of memory (limit {_limits(pod).get('memory', 'unknown')})"
        return Reason("memory", what, "raise deploy.memory, or serve a smaller model")
    remedy = "raise its limit (kubectl edit clusterstoragecontainer default)"
    return Reason("memory", f"{one['name']} ran out of memory while it fetched the bundle", remedy)


def _slow(
    pod: dict[str, Any], one: dict[str, Any], seen: Observed, startup_timeout_seconds: float
) -> Reason | None:
    """Running, never ended, not ready: after a while its probes have the word."""
    since = one.get("state", {}).get("running", {}).get("startedAt")
    if one["name"] != CONTAINER or not since or _age(since) < startup_timeout_seconds:
        return None
    return _probe(pod, seen, seen.logs(pod["metadata"]["name"], CONTAINER, False))


def _probe(pod: dict[str, Any], seen: Observed, said: str) -> Reason:
    failed = [e.get("message", "") for e in events_of(pod, seen) if e.get("reason") == "Unhealthy"]
    what = f"the predictor's probe fails: {failed[-1] if failed else 'it is not ready'}; its last words:"
    remedy = "raise deploy.cpu and deploy.startup_timeout_seconds if it is only slow; else look at its log"
    return Reason("probe", f"{what}\n{tail(said)}", remedy)


def _mounts(pod: dict[str, Any], seen: Observed) -> Reason | None:
    failed = [e for e in events_of(pod, seen) if e.get("reason") == "FailedMount"]
    if not failed or pod.get("status", {}).get("phase") != "Pending":
        return None
    remedy = "make the Secret, ConfigMap or volume that it names"
    return Reason("volume", f"a volume of the predictor cannot be mounted: {failed[-1]['message']}", remedy)


def events_of(pod: dict[str, Any], seen: Observed) -> list[dict[str, Any]]:
    """Events about a pod, oldest first."""
    return [e for e in seen.events if e["involvedObject"].get("name") == pod["metadata"]["name"]]


def tail(text: str) -> str:
    """The last lines of a log, indented; of structured lines, the message."""
    lines = [_plain(line) for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line[:400]}" for line in lines[-_TAIL:]) or "    (no log)"


def _plain(line: str) -> str:
    try:
        return str(json.loads(line)["message"]).replace("\n", " ")
    except (ValueError, KeyError, TypeError):
        return line


def _limits(pod: dict[str, Any]) -> dict[str, str]:
    container: dict[str, Any] = next((c for c in pod["spec"]["containers"] if c["name"] == CONTAINER), {})
    return dict(container.get("resources", {}).get("limits", {}))


def _remedy_in(log: str) -> str:
    """The predictor's own advice, where its error gave one."""
    found = re.findall(r"What to do: (.+)", tail(log))
    return str(found[-1]) if found else ""


def _age(timestamp: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()
