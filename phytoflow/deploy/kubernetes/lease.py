"""One publisher of a name at a time, held by a coordination.k8s.io Lease."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from phytoflow.deploy.kubernetes.api import LEASES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import PART_OF
from phytoflow.errors import DeployError

SECONDS = 15
_RENEW_SECONDS = 5.0
_POLL_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


class Held:
    """A Lease that is ours, and renewed, until ``release``.

    Args:
        cluster: Where it is.
        lease: As last written.
    """

    def __init__(self, cluster: Cluster, lease: Object) -> None:
        self._cluster, self._lease = cluster, lease
        self._ended = threading.Event()
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises DeployError if the Lease may be another's by now: then nothing more is to be written."""
        if time.monotonic() - self._renewed > SECONDS:
            what = "this publisher lost its Lease: the cluster did not answer, or another took over"
            raise DeployError(what, reason="busy", remedy="look at `phytoflow status`, and publish again")

    def release(self) -> None:
        """Leaves it to the next."""
        self._ended.set()
        self._thread.join()
        self._lease["spec"] |= {"holderIdentity": "", "renewTime": _now()}
        with contextlib.suppress(DeployError):  # it runs out by itself
            self._cluster.replace(LEASES, self._lease)

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_SECONDS):
            self._lease["spec"]["renewTime"] = _now()
            try:
                self._lease = self._cluster.replace(LEASES, self._lease)
                self._renewed = time.monotonic()
            except DeployError as error:
                _LOG.debug("the Lease was not renewed: %s", error)


@contextmanager
def sole_publisher(cluster: Cluster, name: str, patience: float) -> Iterator[Held]:
    """Holds the Lease of a name; waits while another publisher does.

    A Lease is taken over when its holder has not renewed it for ``SECONDS``, by this machine's clock alone:
    clocks of two machines are never compared.

    Raises:
        DeployError: Another publisher was at work for longer than ``patience`` seconds.
    """
    held = Held(cluster, _acquire(cluster, f"phytoflow-{name}", patience))
    try:
        yield held
    finally:
        held.release()


def holder(cluster: Cluster, name: str) -> str:
    """Who is publishing a name now; empty: nobody."""
    lease = cluster.get(LEASES, f"phytoflow-{name}")
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def _acquire(cluster: Cluster, name: str, patience: float) -> Object:
    start = changed = time.monotonic()
    seen = ""
    while True:
        lease = cluster.get(LEASES, name)
        version = lease["metadata"]["resourceVersion"] if lease else ""
        if version != seen:
            seen, changed = version, time.monotonic()
        other = (lease or {}).get("spec", {}).get("holderIdentity")
        if (not other or time.monotonic() - changed > SECONDS) and (taken := _take(cluster, name, lease)):
            return taken
        if other and time.monotonic() - start > patience:
            what = f"another publisher is at work: {other}"
            raise DeployError(what, reason="busy", remedy=f"wait for it, or kubectl delete lease {name}")
        if other and time.monotonic() - start < _POLL_SECONDS:
            _LOG.info("waiting for another publisher: %s", other)
        time.sleep(_POLL_SECONDS)


def _take(cluster: Cluster, name: str, lease: Object | None) -> Object | None:
    """Writes ourselves into the Lease; None if another was quicker."""
    spec = {"holderIdentity": _identity(), "leaseDurationSeconds": SECONDS, "acquireTime": _now()}
    try:
        if lease:
            return cluster.replace(LEASES, lease | {"spec": spec | {"renewTime": _now()}})
        body = {"metadata": {"name": name, "labels": PART_OF}, "spec": spec | {"renewTime": _now()}}
        return cluster.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"} | body)
    except DeployError as error:
        if error.reason == "conflict":
            return None
        raise


def _identity() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
