"""Publishing on a real cluster: new versions take over, bad ones never do, and each fault is named."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, LEASES
from phytoflow.deploy.kubernetes.inference_service import (
    Release,
    candidate_name,
    candidate_of,
    inference_service,
)
from phytoflow.deploy.kubernetes.observe import observe
from phytoflow.deploy.kubernetes.publisher import deploy, rollback
from phytoflow.deploy.kubernetes.release import load_smoke_test, release_of
from phytoflow.deploy.kubernetes.revisions import history
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.kubernetes.status import describe_status
from phytoflow.errors import DeployError
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.uri import put_folder
from tests.e2e.place import NAME, SETTINGS, Place, as_account, place
from tests.support.make_bundle import make_bundle, pictures

__all__ = ["place"]

QUOTAS = "/api/v1/namespaces/{namespace}/resourcequotas"


@pytest.fixture
def live(place: Place) -> Place:
    """Bundle a serves."""
    place.deploy(0)
    return place


def test_ready_within_a_minute_and_answers_as_offline(place: Place) -> None:
    done = place.deploy(0)
    assert done.changed and done.seconds < 60
    assert (done.compared, done.version) == (6, Bundle.load(place.folders[0]).manifest.version)
    version, served = place.ask()
    offline = Classifier.load(place.folders[0], "onnx").predict([photo.content for photo in pictures(4)])
    assert version == done.version
    np.testing.assert_allclose(served, offline.probabilities, atol=1e-4)
    service = observe(place.admin, NAME).service
    assert service["metadata"]["annotations"]["phytoflow/data-hash"] == "0" * 16
    assert place.admin.get(INFERENCE_SERVICES, candidate_name(NAME)) is None
    assert ("ready", "yes") in describe_status(place.publisher, NAME)


def test_the_same_again_changes_nothing(live: Place) -> None:
    pods, before = live.pods(), observe(live.admin, NAME).service["metadata"]["generation"]
    done = live.deploy(0)
    assert not done.changed and done.seconds < 10
    assert live.pods() == pods
    assert observe(live.admin, NAME).service["metadata"]["generation"] == before


def _quota(place: Place) -> Callable[[], None]:
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}}
    place.admin.apply(QUOTAS, body | {"spec": {"hard": {"pods": "1"}}})
    return lambda: place.admin.delete(QUOTAS, "full")


def _nothing(place: Place) -> Callable[[], None]:
    return lambda: None


@dataclass(frozen=True)
class Fault:
    """A deployment that cannot succeed."""

    reason: str
    words: str
    settings: dict[str, object]
    release: dict[str, object]
    before: Callable[[Place], Callable[[], None]] = _nothing


FAULTS = {
    "image": Fault("image", "registry.invalid", {"image": "registry.invalid/none:1"}, {}),
    "credentials": Fault("credentials", "wrong-keys", {"service_account": "wrong-keys"}, {}),
    "account": Fault("service account", "nobody", {"service_account": "nobody"}, {}),
    "bundle": Fault("bundle", "None", {}, {"uri": "s3://BUCKET/none"}),
    "memory": Fault("memory", "48Mi", {"memory": "48Mi", "memory_request": "32Mi"}, {}),
    "gpu": Fault("gpu", "nvidia.com/gpu", {"accelerators": 8}, {}),
    "quota": Fault("quota", "pods=1", {"cpu": "2"}, {}, _quota),
    "runtime": Fault("runtime", "no-such-runtime", {"runtime": "no-such-runtime"}, {}),
    "uri": Fault("bundle", "not supported", {}, {"uri": "nowhere://x"}),
    "webhook": Fault("webhook", "replicas", {"min_replicas": 5, "max_replicas": 2, "autoscaling": "hpa"}, {}),
    "priority": Fault("priority", "no-such-class", {"priority_class": "no-such-class"}, {}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named_within_90_seconds_and_the_old_version_serves(live: Place, fault: Fault) -> None:
    pods, version = live.pods(), live.ask()[0]
    release = {k: v.replace("BUCKET", live.admin.namespace) for k, v in fault.release.items()}
    after, start = fault.before(live), time.monotonic()
    try:
        with pytest.raises(DeployError) as refusal:
            live.deploy(1, SETTINGS.model_copy(update=fault.settings), **release)
    finally:
        after()
    assert refusal.value.reason == fault.reason, str(refusal.value)
    assert fault.words.lower() in str(refusal.value).lower()
    assert refusal.value.remedy
    assert time.monotonic() - start < 90
    assert live.pods() == pods and live.ask()[0] == version
    assert live.admin.get(INFERENCE_SERVICES, candidate_name(NAME)) is None


def test_a_bundle_that_answers_wrongly_gets_no_request(live: Place) -> None:
    bundle, version = Bundle.load(live.folders[1]), live.ask()[0]
    right = SmokeTest.from_probes(bundle)
    wrong = replace(right, probabilities=right.probabilities[:, ::-1].copy())
    versions, ended = set(), threading.Event()

    def keep_asking() -> None:
        while not ended.is_set():
            versions.add(live.ask()[0])

    with ThreadPoolExecutor(1) as callers:
        client = callers.submit(keep_asking)
        try:
            with pytest.raises(DeployError, match="otherwise than recorded") as refusal:
                deploy(live.publisher, NAME, release_of(bundle, live.uris[1]), wrong, SETTINGS)
        finally:
            ended.set()
        client.result()
    assert refusal.value.reason == "smoke" and f"version {version} goes on serving" in str(refusal.value)
    assert versions == {version}


def test_a_predictor_that_refuses_its_bundle_says_so(live: Place, tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "bad", ("onnx",), seed=1)
    manifest = json.loads((folder / "bundle.json").read_text())
    for probe in manifest["probes"]:
        probe["probabilities"].reverse()
    (folder / "bundle.json").write_text(json.dumps(manifest))
    uri = f"s3://{live.admin.namespace}/bad"
    put_folder(folder, uri)
    with pytest.raises(DeployError, match="recorded probabilities") as refusal:
        bundle = Bundle.load(folder)
        deploy(live.publisher, NAME, release_of(bundle, uri), SmokeTest.from_probes(bundle), SETTINGS)
    assert refusal.value.reason == "crash" and "export the bundle again" in refusal.value.remedy


def test_an_account_without_permission_is_told_what_it_needs(live: Place) -> None:
    visitor = replace(live, publisher=as_account(live.admin.namespace, "visitor"))
    with pytest.raises(DeployError, match="visitor") as refusal:
        visitor.deploy(1)
    assert refusal.value.reason == "permission" and {"phytoflow-publisher", "deploy.namespace"} <= set(
        refusal.value.remedy.split()
    )


def test_a_new_version_takes_over_and_rollback_goes_back(live: Place, tmp_path: Path) -> None:
    old = live.ask()[0]
    new = live.deploy(1)
    assert live.ask()[0] == new.version != old
    back = rollback(live.publisher, NAME, lambda r: load_smoke_test(r, tmp_path / "b"), SETTINGS)
    assert live.ask()[0] == back.version == old
    numbers = [revision.number for revision in history(live.publisher, NAME)]
    assert len(numbers) >= 2 and numbers == sorted(set(numbers))


def test_two_publishers_come_one_after_the_other(live: Place) -> None:
    wanted = [(1, SETTINGS), (1, SETTINGS.model_copy(update={"cpu": "2"}))]
    with ThreadPoolExecutor(2) as publishers:
        runs = [publishers.submit(live.deploy, which, settings) for which, settings in wanted]
        done = [run.result() for run in runs]
    assert {d.changed for d in done} == {True}
    newest = history(live.admin, NAME)[-1]
    observation = observe(live.admin, NAME)
    assert observation.rolled_out(newest.revision) and newest.revision in {d.revision for d in done}
    assert live.admin.get(INFERENCE_SERVICES, candidate_name(NAME)) is None


def test_what_a_killed_publisher_left_is_cleared_away(live: Place) -> None:
    body = inference_service(NAME, live.admin.namespace, Release("s3://none/none", "none"), SETTINGS)
    live.publisher.apply(INFERENCE_SERVICES, candidate_of(body, accelerated=True))
    lease = live.admin.get(LEASES, f"phytoflow-{NAME}")
    live.admin.replace(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": "killed"}})
    done = live.deploy(0)
    assert done.seconds < 60
    assert live.admin.get(INFERENCE_SERVICES, candidate_name(NAME)) is None
