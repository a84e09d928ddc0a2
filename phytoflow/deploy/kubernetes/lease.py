"""A coordination.k8s.io Lease that lets one publisher of a name write at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from phytoflow.deploy.kubernetes.api import LEASES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import PART_OF
from phytoflow.errors import DeployError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeaseTiming:
    """Durations of a Lease in seconds.

    Attributes:
        duration: A Lease that was not renewed for this long may be taken over.
        renew: Interval of renewal. A third of ``duration`` tolerates two failed renewals.
        poll: Interval at which a waiting publisher reads the Lease.
        clock: Monotonic clock.
    """

    duration: float = 15.0
    renew: float = 5.0
    poll: float = 1.0
    clock: Callable[[], float] = time.monotonic


class HeldLease:
    """A Lease that this process holds and renews in a thread until ``release``.

    Args:
        cluster: Where the Lease is.
        lease: The Lease as last written.
        timing: Durations.
    """

    def __init__(self, cluster: Cluster, lease: Object, timing: LeaseTiming) -> None:
        self._cluster, self._lease, self._timing = cluster, lease, timing
        self._released = threading.Event()
        self._renewed_at = timing.clock()
        self._thread = threading.Thread(target=self._renew_until_released, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Makes sure that no other publisher can have taken the Lease over.

        Raises:
            DeployError: It was not renewed in time (reason ``busy``). Nothing more must be written.
        """
        if self._timing.clock() - self._renewed_at > self._timing.duration:
            what = "this publisher lost its Lease: the cluster did not answer, or another took over"
            raise DeployError(what, reason="busy", remedy="look at `phytoflow status`, and publish again")

    def release(self) -> None:
        """Stops renewing and frees the Lease for the next publisher."""
        self._released.set()
        self._thread.join()
        self._lease["spec"] |= {"holderIdentity": "", "renewTime": _now()}
        with contextlib.suppress(DeployError):  # an unreachable cluster: the Lease expires
            self._cluster.replace(LEASES, self._lease)

    def _renew_until_released(self) -> None:
        while not self._released.wait(self._timing.renew):
            self._lease["spec"]["renewTime"] = _now()
            try:
                self._lease = self._cluster.replace(LEASES, self._lease)
                self._renewed_at = self._timing.clock()
            except DeployError as error:
                _LOG.debug("the Lease was not renewed: %s", error)


@contextmanager
def exclusive_publisher(
    cluster: Cluster, name: str, patience: float, timing: LeaseTiming | None = None
) -> Iterator[HeldLease]:
    """Holds the Lease of a name and waits while another publisher holds it.

    A Lease is taken over once this process has seen it unchanged for the Lease's duration. Only this
    machine's clock is used, never a comparison with the holder's.

    Args:
        cluster: Where to publish.
        name: Name of the InferenceService.
        patience: Longest wait for another publisher, in seconds.
        timing: Durations of the Lease.

    Raises:
        DeployError: Another publisher was active for longer than ``patience`` (reason ``busy``).
    """
    timing = timing or LeaseTiming()
    held = HeldLease(cluster, _acquire(cluster, _lease_name(name), patience, timing), timing)
    try:
        yield held
    finally:
        held.release()


def lease_holder(cluster: Cluster, name: str) -> str:
    """Returns the identity of the publisher that is active now. Empty if there is none."""
    return _holder(cluster.get(LEASES, _lease_name(name)))


def _lease_name(name: str) -> str:
    return f"phytoflow-{name}"


def _holder(lease: Object | None) -> str:
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def _acquire(cluster: Cluster, name: str, patience: float, timing: LeaseTiming) -> Object:
    start = changed_at = timing.clock()
    last_version = last_holder = ""
    while True:
        lease, now = cluster.get(LEASES, name), timing.clock()
        version = lease["metadata"]["resourceVersion"] if lease else ""
        if version != last_version:
            last_version, changed_at = version, now
        other = _holder(lease)
        expired = now - changed_at > timing.duration
        if (not other or expired) and (taken := _try_to_take(cluster, name, lease, timing)):
            return taken
        if other and now - start > patience:
            what = f"another publisher is at work: {other}"
            raise DeployError(what, reason="busy", remedy=f"wait for it, or kubectl delete lease {name}")
        if other and other != last_holder:
            _LOG.info("waiting for another publisher: %s", other)
        last_holder = other
        time.sleep(timing.poll)


def _try_to_take(cluster: Cluster, name: str, lease: Object | None, timing: LeaseTiming) -> Object | None:
    """Writes this process into the Lease. Returns None if another publisher was faster."""
    spec = {
        "holderIdentity": _identity(),
        "leaseDurationSeconds": max(1, round(timing.duration)),
        "acquireTime": _now(),
        "renewTime": _now(),
    }
    try:
        if lease:
            return cluster.replace(LEASES, lease | {"spec": spec})
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec}
        return cluster.create(LEASES, body | {"metadata": {"name": name, "labels": PART_OF}})
    except DeployError as error:
        if error.reason == "conflict":
            return None
        raise


def _identity() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
