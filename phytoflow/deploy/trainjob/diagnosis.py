"""Why a TrainJob does not run, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from phytoflow.deploy.kubernetes.api import EVENTS, PODS, Cluster, Object
from phytoflow.deploy.kubernetes.api_errors import explain_message
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason, format_log

TRAIN_JOBS = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/{namespace}/trainjobs"
FIRST_POD = "batch.kubernetes.io/job-completion-index"
_JOB_SET = "jobset.sigs.k8s.io/jobset-name"
_OWNERS = {"TrainJob", "JobSet", "Job"}
_IMAGE_ERRORS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CONFIG_ERRORS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_RUNS = {"Running", "Succeeded"}


@dataclass(frozen=True)
class JobState:
    """A TrainJob and what belongs to it at one moment.

    Attributes:
        job: The TrainJob; None if it is gone.
        nodes: Number of pods that are to run.
        pods: Its pods that are not being deleted.
        events: Events about any of these, oldest first.
    """

    job: Object | None
    nodes: int
    pods: list[Object] = field(default_factory=list)
    events: list[Object] = field(default_factory=list)

    @property
    def running(self) -> int:
        """Number of pods that run or have ended well."""
        return sum(pod.get("status", {}).get("phase") in _RUNS for pod in self.pods)

    @property
    def first_pod(self) -> Object | None:
        """The pod of the first process."""
        return next((pod for pod in self.pods if pod["metadata"]["labels"].get(FIRST_POD) == "0"), None)

    def condition(self, kind: str) -> str | None:
        """Message of a condition that holds; None if it does not."""
        conditions = (self.job or {}).get("status", {}).get("conditions", [])
        found = (c for c in conditions if c["type"] == kind and c["status"] == "True")
        return next((str(c.get("message", "")) for c in found), None)


def observe(cluster: Cluster, name: str, nodes: int) -> JobState:
    """Reads a TrainJob and all that belongs to it.

    Raises:
        DeployError: The cluster refuses, or cannot be reached.
    """
    pods = cluster.list(PODS, labelSelector=f"{_JOB_SET}={name}")
    events = [e for e in cluster.list(EVENTS) if e["involvedObject"].get("name", "").startswith(name)]
    return JobState(
        job=cluster.get(TRAIN_JOBS, name),
        nodes=nodes,
        pods=[pod for pod in pods if "deletionTimestamp" not in pod["metadata"]],
        events=sorted(events, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or "")),
    )


def diagnose(state: JobState) -> Reason | None:
    """Finds what keeps a TrainJob from running; None if all its pods run, or nothing is wrong yet."""
    if state.running >= state.nodes:
        return None
    return next(_find_reasons(state), None)


def _find_reasons(state: JobState) -> Iterator[Reason]:
    for pod in state.pods:
        yield from _pod_reasons(pod, state)
    if len(state.pods) < state.nodes:
        yield from _refusals(state)
    if (message := state.condition("Suspended")) is not None:
        what = f"the TrainJob is suspended: {message or 'a queue has not admitted it'}"
        remedy = "wait for the queue's quota (kubectl describe workloads), or set trainjob.queue to another"
        yield Reason("queue", what, remedy)


def _pod_reasons(pod: Object, state: JobState) -> Iterator[Reason]:
    status = pod.get("status", {})
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("reason") == "Unschedulable":
        yield _scheduling_reason(pod, str(scheduled.get("message", "")), state)
    elif scheduled.get("reason") == "SchedulingGated":
        what = "pods wait until all of them can be placed at once"
        yield Reason("gang", what, "wait, or free as many nodes as training.nodes asks for")
    for container in status.get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        message = str(waiting.get("message", ""))
        if waiting.get("reason") in _IMAGE_ERRORS:
            what = f"the image {container.get('image', '')} cannot be pulled: {message[:400]}"
            yield Reason("image", what, "check trainjob.image, its tag, and the namespace's imagePullSecrets")
        elif waiting.get("reason") in _CONFIG_ERRORS:
            what = f"a pod's container cannot be created: {message[:400]}"
            yield Reason("container", what, "see `kubectl describe pod`: often a Secret is missing")


def _scheduling_reason(pod: Object, message: str, state: JobState) -> Reason:
    placed = f"{state.running} of {state.nodes} pods have a node; "
    limits = pod["spec"]["containers"][0].get("resources", {}).get("limits", {})
    gpu = next((name for name in limits if "/" in name), "")
    if gpu:
        remedy = (
            f"free or add a node with {limits[gpu]} {gpu}, ask for fewer (training.devices), or compare "
            "trainjob.node_selector and trainjob.tolerations with `kubectl describe nodes`"
        )
        return Reason("gpu", f"{placed}no node can give the next one its {gpu}: {message}", remedy)
    remedy = (
        "ask for less (trainjob.cpu_request, trainjob.memory_request, training.nodes), add a node, or check "
        "trainjob.node_selector"
    )
    return Reason("unschedulable", f"{placed}no node can take the next one: {message}", remedy)


def _refusals(state: JobState) -> Iterator[Reason]:
    """What the control plane could not create: quota, policy, missing runtime. Only events say so."""
    for event in reversed(state.events):
        if event.get("type") == "Warning" and event["involvedObject"].get("kind") in _OWNERS:
            message = str(event.get("message", ""))
            kind, remedy = explain_message(message) or (
                "refused",
                "see the events of the TrainJob's namespace",
            )
            if kind == "quota":
                remedy = (
                    "free some of the quota, have it raised, or ask for less: trainjob.cpu, trainjob.memory"
                )
            yield Reason(kind, f"the cluster does not create the TrainJob's pods: {message}", remedy)


def explain_failure(state: JobState, log: str) -> str:
    """Why a TrainJob failed, with the end of its log."""
    message = state.condition("Failed") or "it is gone"
    return f"the TrainJob failed: {message}; end of its log:\n{format_log(log)}"
