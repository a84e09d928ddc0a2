"""``spec.canary`` of KServe: a share of the requests that speak V2 directly goes to another bundle.

It needs KServe 0.21 or later with ``enableGatewayApi`` and an implementation of Gateway API. KServe overlays
the canary's predictor on the published one, gives it fixed replicas, and weights the HTTPRoute once a pod is
ready. KServe 0.20 has the field and starts the pods, but leaves the HTTPRoute as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION
from phytoflow.deploy.kubernetes.readiness import ReadinessTiming
from phytoflow.errors import DeployError

HTTP_ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
_VERSION_DIGITS = 8
_PROXY_SECONDS = 5.0  # a gateway's proxies follow the HTTPRoute that late; Traefik gathers changes for 2 s
_UNKNOWN_FIELD = ".spec.canary: field not declared in schema"
_REMEDY = (
    "set deploy.canary_percent=0 and use `phytoflow rollout`, or install KServe 0.21 or later with "
    "enableGatewayApi and an implementation of Gateway API"
)


def with_canary(published: Object, body: Object, percent: int) -> Object:
    """The published InferenceService with another one's model as its canary.

    The revision is that of the published one, which goes on; publishing it again ends the canary.

    Args:
        published: The spec that serves.
        body: The spec of the new version, from ``inference_service``.
        percent: Share of the requests, 1 to 100.
    """
    combined: Object = copy.deepcopy(published)
    version = body["metadata"]["annotations"][BUNDLE_VERSION]
    # KServe takes canaries in this mode only; RawDeployment is its former name.
    combined["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] = "Standard"
    predictor = {"name": f"v{version[:_VERSION_DIGITS]}", "model": body["spec"]["predictor"]["model"]}
    combined["spec"]["canary"] = [{"trafficPercent": percent, "predictor": predictor}]
    return combined


def describe_canary(service: Object) -> list[tuple[str, str]]:
    """Lines about the canaries of an InferenceService: share, bundle, and whether a pod is ready."""
    ready = {one["name"] for one in service.get("status", {}).get("canaryStatuses", []) if one["ready"]}
    return [
        (
            "canary",
            f"{canary['trafficPercent']}% of the requests: {canary['predictor']['model']['storageUri']}"
            + ("" if canary["predictor"]["name"] in ready else " (no pod is ready)"),
        )
        for canary in service["spec"].get("canary", [])
    ]


def check_canary(cluster: Cluster, body: Object) -> None:
    """Asks the cluster, by a dry run, whether it knows the field, and whether the service has an HTTPRoute.

    Raises:
        DeployError: It does not (reason ``kserve``), or it refuses the object.
    """
    try:
        accepted = cluster.apply(INFERENCE_SERVICES, body, dry_run=True)
    except DeployError as error:
        if _UNKNOWN_FIELD not in error.message:
            raise
        accepted = {}
    if "canary" not in accepted.get("spec", {}):  # a CRD without a schema drops it in silence
        what = "KServe on this cluster has no spec.canary, which deploy.canary_percent needs"
        raise DeployError(what, reason="kserve", remedy=_REMEDY)
    name = body["metadata"]["name"]
    if _route(cluster, name) is None:
        what = f"{name} has no HTTPRoute, so KServe could not give a canary its share of the requests"
        raise DeployError(what, reason="kserve", remedy=_REMEDY)


def wait_for_share(
    cluster: Cluster, body: Object, seconds: float, timing: ReadinessTiming, check: Callable[[], None]
) -> None:
    """Waits until KServe's HTTPRoute gives the canary its share of the requests.

    Args:
        cluster: Where it is applied.
        body: From ``with_canary``.
        seconds: Longest wait.
        timing: Intervals; ``patience`` is how long KServe may leave a ready canary without its share.
        check: Called at each observation. An exception that it raises ends the wait.

    Raises:
        DeployError: No pod was ready in time (reason ``late``), or KServe does not split (``kserve``).
    """
    name, start, ready_since = body["metadata"]["name"], timing.clock(), None
    while not _has_share(_route(cluster, name), name, body["spec"]["canary"][0]):
        check()
        now = timing.clock()
        if ready_since is None and _is_ready(cluster.get(INFERENCE_SERVICES, name)):
            ready_since = now
        if ready_since is not None and now - ready_since > timing.patience:
            what = f"the canary of {name} is ready, but its HTTPRoute gives it no share of the requests"
            raise DeployError(what, reason="kserve", remedy=_REMEDY)
        if now - start > seconds:
            remedy = "see kubectl describe pods, or raise deploy.ready_timeout_seconds"
            raise DeployError(f"no pod of {name}'s canary was ready in time", reason="late", remedy=remedy)
        timing.sleep(timing.poll)


def drain_canary(cluster: Cluster, published: Object, timing: ReadinessTiming) -> None:
    """Takes the share of a service's canary back and waits until the proxies know, while its pods stay.

    KServe deletes a canary's Service before it changes the HTTPRoute. A canary that is removed while it has a
    share loses requests.

    Args:
        cluster: Where the service is.
        published: The spec that serves, without a canary.
        timing: Intervals; ``patience`` is the longest wait for the HTTPRoute.
    """
    name = published["metadata"]["name"]
    live = cluster.get(INFERENCE_SERVICES, name) or {"spec": {}}
    if not any(canary["trafficPercent"] for canary in live["spec"].get("canary", [])):
        return
    drained: Object = copy.deepcopy(published)
    drained["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] = "Standard"
    drained["spec"]["canary"] = [
        {"trafficPercent": 0, "predictor": canary["predictor"] | {"minReplicas": 1}}
        for canary in live["spec"]["canary"]
    ]
    cluster.apply(INFERENCE_SERVICES, drained)
    start = timing.clock()
    while _is_split(_route(cluster, name), name) and timing.clock() - start < timing.patience:
        timing.sleep(timing.poll)
    timing.sleep(_PROXY_SECONDS)


def _is_split(route: Object | None, name: str) -> bool:
    rules = route["spec"]["rules"] if route else []
    refs = [ref for rule in rules for ref in rule.get("backendRefs", [])]
    return any(ref["name"] != f"{name}-predictor" and ref.get("weight", 1) for ref in refs)


def _route(cluster: Cluster, name: str) -> Object | None:
    try:
        return cluster.get(HTTP_ROUTES, name)
    except DeployError as error:
        if error.reason != "kserve":  # of a kind that the cluster does not have
            raise
        return None


def _has_share(route: Object | None, name: str, canary: Object) -> bool:
    wanted = (f"{name}-{canary['predictor']['name']}-predictor", canary["trafficPercent"])
    rules = route["spec"]["rules"] if route else []
    shares = [[(ref["name"], ref.get("weight")) for ref in rule.get("backendRefs", [])] for rule in rules]
    return bool(shares) and all(wanted in share for share in shares)


def _is_ready(service: Object | None) -> bool:
    statuses = (service or {}).get("status", {}).get("canaryStatuses", [])
    return bool(statuses) and all(one["ready"] for one in statuses)
