"""History of good specs, stored as ControllerRevisions. A failed publish and ``rollback`` return to them."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.deploy.kubernetes.api import REVISIONS, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, PART_OF, revision_of

HISTORY_LIMIT = 10  # specs stored per name, as Kubernetes keeps for a Deployment by default
_HISTORY_LABEL = "phytoflow/history-of"


@dataclass(frozen=True)
class Revision:
    """A spec that has served.

    Attributes:
        number: Increases with each publish or rollback.
        body: The InferenceService as it was applied.
        object_name: Name of the ControllerRevision.
        owner: uid of the InferenceService it belongs to.
    """

    number: int
    body: Object
    object_name: str
    owner: str

    @property
    def revision(self) -> str:
        """Hash of the spec."""
        return revision_of(self.body)

    @property
    def bundle_version(self) -> str:
        """Version of the bundle that it served."""
        return str(self.body["metadata"]["annotations"].get(BUNDLE_VERSION, ""))

    @property
    def bundle_uri(self) -> str:
        """Location of that bundle at the time."""
        return str(self.body["spec"]["predictor"]["model"]["storageUri"])


def history(cluster: Cluster, name: str) -> list[Revision]:
    """Returns the good specs of a name, the newest last."""
    items = cluster.list(REVISIONS, labelSelector=f"{_HISTORY_LABEL}={name}")
    return sorted((_parse(item) for item in items), key=lambda revision: revision.number)


def record_revision(cluster: Cluster, service: Object, body: Object) -> int:
    """Stores a spec as the newest good one and deletes what exceeds ``HISTORY_LIMIT``.

    Args:
        cluster: Where to store it.
        service: The InferenceService as the cluster has it. It owns the history, which is deleted with it.
        body: The InferenceService as it was applied.

    Returns:
        The number of the revision.
    """
    name, uid = service["metadata"]["name"], service["metadata"]["uid"]
    known = history(cluster, name)
    number = max((revision.number for revision in known), default=0) + 1
    # The same spec moves to the end; revisions of a deleted InferenceService of this name are stale.
    stale = [old for old in known if old.revision == revision_of(body) or old.owner != uid]
    others = [old for old in known if old not in stale]
    surplus = others[: max(len(others) + 1 - HISTORY_LIMIT, 0)]
    for old in [*stale, *surplus]:
        cluster.delete(REVISIONS, old.object_name)
    cluster.create(REVISIONS, _controller_revision(service, body, number))
    return number


def _controller_revision(service: Object, body: Object, number: int) -> Object:
    name = service["metadata"]["name"]
    owner = {key: service[key] for key in ("apiVersion", "kind")}
    owner |= {"name": name, "uid": service["metadata"]["uid"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name}-{number}-{revision_of(body)}",
            "labels": PART_OF | {_HISTORY_LABEL: name},
            "ownerReferences": [owner],
        },
        "data": body,
        "revision": number,
    }


def _parse(item: Object) -> Revision:
    metadata = item["metadata"]
    owner = (metadata.get("ownerReferences") or [{}])[0].get("uid", "")
    return Revision(item["revision"], item["data"], metadata["name"], owner)
