"""One publisher at a time, and what becomes of the Lease of one that died."""

from __future__ import annotations

import threading

import pytest

from phytoflow.deploy.kubernetes.api import LEASES, Cluster, Object
from phytoflow.deploy.kubernetes.lease import HeldLease, LeaseTiming, exclusive_publisher, lease_holder
from phytoflow.errors import DeployError
from tests.deploy.kubernetes.conftest import Clock
from tests.support.services.api_server import ApiServer

QUICK = LeaseTiming(poll=0.01, renew=0.01)


def set_holder(cluster: Cluster, holder: str) -> None:
    lease = cluster.get(LEASES, "phytoflow-leaf")
    cluster.replace(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": holder}})


@pytest.fixture
def free_lease(cluster: Cluster) -> Cluster:
    """A cluster on which somebody published before."""
    with exclusive_publisher(cluster, "leaf", 5, QUICK):
        pass
    return cluster


def test_publishers_take_turns(cluster: Cluster) -> None:
    order: list[tuple[str, str]] = []

    def work(who: str) -> None:
        with exclusive_publisher(cluster, "leaf", 60, QUICK):
            order.append((who, "begins"))
            assert lease_holder(cluster, "leaf")
            order.append((who, "ends"))

    threads = [threading.Thread(target=work, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order[::2]) == [(who, "begins") for who in "abc"]
    assert [(who, "ends") for who, _ in order[::2]] == order[1::2]
    assert lease_holder(cluster, "leaf") == ""


def test_names_do_not_wait_for_one_another(cluster: Cluster) -> None:
    with exclusive_publisher(cluster, "leaf", 5, QUICK), exclusive_publisher(cluster, "rose", 0, QUICK):
        assert lease_holder(cluster, "leaf") and lease_holder(cluster, "rose")


def test_a_dead_publishers_lease_is_taken_over_once_it_expired(free_lease: Cluster) -> None:
    set_holder(free_lease, "dead")
    ticks = iter(range(0, 1000, 4))  # each look at the clock is four seconds later
    timing = LeaseTiming(poll=0.01, renew=10, clock=lambda: float(next(ticks)))
    with exclusive_publisher(free_lease, "leaf", 1000, timing):
        assert lease_holder(free_lease, "leaf") not in ("", "dead")


def test_an_active_publisher_is_waited_for_as_long_as_patience_lasts(free_lease: Cluster) -> None:
    set_holder(free_lease, "alive")
    with pytest.raises(DeployError, match="another publisher is at work: alive") as refusal:
        enter = exclusive_publisher(free_lease, "leaf", 0.1, QUICK)
        enter.__enter__()
    assert refusal.value.reason == "busy" and "phytoflow-leaf" in refusal.value.remedy
    assert lease_holder(free_lease, "leaf") == "alive"


def test_a_lease_that_cannot_be_renewed_is_lost_after_its_duration(free_lease: Cluster, clock: Clock) -> None:
    timing = LeaseTiming(duration=15, renew=3600, clock=clock)  # never renewed during the test
    held = HeldLease(free_lease, free_lease.get(LEASES, "phytoflow-leaf") or {}, timing)
    try:
        clock.sleep(15)
        held.check()
        clock.sleep(0.1)
        with pytest.raises(DeployError, match="lost its Lease") as refusal:
            held.check()
        assert refusal.value.reason == "busy"
    finally:
        held.release()


def test_a_renewed_lease_stays_ours(free_lease: Cluster, clock: Clock) -> None:
    renewed = threading.Event()
    replace = free_lease.replace

    def note(path: str, body: Object) -> Object:
        result = replace(path, body)
        renewed.set()
        return result

    free_lease.replace = note  # type: ignore[method-assign]
    timing = LeaseTiming(duration=15, renew=0.01, clock=clock)
    held = HeldLease(free_lease, free_lease.get(LEASES, "phytoflow-leaf") or {}, timing)
    try:
        for _ in range(3):
            clock.sleep(10)
            renewed.clear()
            assert renewed.wait(10)
            renewed.clear()
            assert renewed.wait(10)  # the second renewal began after the clock moved
            held.check()
    finally:
        held.release()


def test_a_lease_that_another_wrote_is_not_renewed(
    free_lease: Cluster, server: ApiServer, clock: Clock
) -> None:
    path = LEASES.format(namespace="plants") + "/phytoflow-leaf"
    stale = free_lease.get(LEASES, "phytoflow-leaf") or {}
    set_holder(free_lease, "another")
    tried = threading.Event()
    replace = free_lease.replace

    def note(path: str, body: Object) -> Object:
        try:
            return replace(path, body)
        finally:
            tried.set()

    free_lease.replace = note  # type: ignore[method-assign]
    held = HeldLease(free_lease, stale, LeaseTiming(renew=0.01, clock=clock))
    clock.sleep(16)
    assert tried.wait(10)
    with pytest.raises(DeployError, match="lost its Lease"):
        held.check()
    held.release()
    assert server.objects[path]["spec"]["holderIdentity"] == "another"
