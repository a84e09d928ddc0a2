"""Specs found good, kept as ControllerRevisions: what a failed publish and ``rollback`` go back to."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.deploy.kubernetes.api import REVISIONS, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, PART_OF, revision_of

KEPT = 10
_LABEL = "phytoflow/history-of"


@dataclass(frozen=True)
class Revision:
    """A spec that served.

    Attributes:
        number: Grows with each publish or rollback.
        body: The InferenceService as it was applied.
        object_name: Of the ControllerRevision.
        owner: uid of the InferenceService it belongs to.
    """

    number: int
    body: Object
    object_name: str
    owner: str

    @property
    def revision(self) -> str:
        """Its hash."""
        return revision_of(self.body)

    @property
    def bundle_version(self) -> str:
        """Of the bundle it served."""
        return str(self.body["metadata"]["annotations"].get(BUNDLE_VERSION, ""))

    @property
    def bundle_uri(self) -> str:
        """Where that bundle is, or was."""
        return str(self.body["spec"]["predictor"]["model"]["storageUri"])


def history(cluster: Cluster, name: str) -> list[Revision]:
    """Good specs of a name, the newest last."""
    found = cluster.list(REVISIONS, labelSelector=f"{_LABEL}={name}")
    return sorted((_read(item) for item in found), key=lambda revision: revision.number)


def remember(cluster: Cluster, service: Object, body: Object) -> int:
    """Keeps a spec as the newest good one.

    Args:
        cluster: Where.
        service: The InferenceService as the cluster has it: when it is deleted, its history goes with it.
        body: As it was applied.

    Returns:
        Its number.
    """
    name, uid = service["metadata"]["name"], service["metadata"]["uid"]
    known = history(cluster, name)
    number = max((revision.number for revision in known), default=0) + 1
    for old in known:
        if revision_of(old.body) == revision_of(body) or old.owner != uid:
            cluster.delete(REVISIONS, old.object_name)
    kept = [old for old in known if revision_of(old.body) != revision_of(body)]
    for old in kept[: max(len(kept) + 1 - KEPT, 0)]:
        cluster.delete(REVISIONS, old.object_name)
    cluster.create(REVISIONS, _written(service, body, number))
    return number


def _written(service: Object, body: Object, number: int) -> Object:
    name = service["metadata"]["name"]
    owner = {key: service[key] for key in ("apiVersion", "kind")}
    owner |= {"name": name, "uid": service["metadata"]["uid"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name}-{number}-{revision_of(body)}",
            "labels": PART_OF | {_LABEL: name},
            "ownerReferences": [owner],
        },
        "data": body,
        "revision": number,
    }


def _read(item: Object) -> Revision:
    metadata = item["metadata"]
    owner = (metadata.get("ownerReferences") or [{}])[0].get("uid", "")
    return Revision(item["revision"], item["data"], metadata["name"], owner)
