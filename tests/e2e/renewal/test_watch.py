"""`phytoflow watch` as a Deployment: webhooks, new photos that start a training, and a pod that is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster import forwarded, kubectl, prometheus, ready, wait_until
from tests.e2e.renewal.watch_feature import (
    SECRET,
    add_photo,
    audit_log,
    in_pod,
    new_pods,
    new_prefix,
    watching,
)

pytestmark = pytest.mark.timeout(600)


def events() -> list[list[str]]:
    """Words of each event of the photos, oldest first."""
    return [words for words in audit_log() if words[5] == "data"]


@pytest.fixture(scope="module")
def photos(store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Photos in the cluster's store, and the folder that they come from."""
    uri, folder = new_prefix(), tmp_path_factory.mktemp("photos")
    add_photo(uri, folder, 0)
    return uri, folder


@pytest.fixture(scope="module")
def hooks(photos: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The feature as its page describes, with a command that reads the photos; address of the webhooks."""
    variables = {
        "PHYTOFLOW_WATCH__TRIGGERS__DATA": photos[0],
        "PHYTOFLOW_WATCH__PREPARE": "[]",  # the gateway has no predictor here, so its Service has no pod
        "PHYTOFLOW_WATCH__TRAIN": json.dumps(["phytoflow", "data", "version", "{data}"]),
        "PHYTOFLOW_WATCH__EVERY_SECONDS": "600",  # only a webhook makes it look again
        "PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS": "0",
    }
    folder = tmp_path_factory.mktemp("watch")
    with watching(folder, ["watch"], "review", variables), forwarded("service/watch", 80) as port:
        yield f"http://127.0.0.1:{port}/hooks"


def test_a_webhook_makes_it_see_a_new_photo(hooks: str, photos: tuple[str, Path]) -> None:
    wait_until(lambda: len(events()) == 1, 60, "the baseline")
    add_photo(*photos, 1)
    assert httpx.post(f"{hooks}/s3", json={}, timeout=10).status_code == 401
    assert len(events()) == 1
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert httpx.post(f"{hooks}/s3", json={}, headers=bearer, timeout=10).status_code == 202
    wait_until(lambda: len(events()) == 2 and events()[-1][4] == "succeeded", 60, "a training")
    assert [event[3:6] for event in events()] == [
        ["train", "baseline", "data"],
        ["train", "succeeded", "data"],
    ]


def test_a_dry_run_says_what_would_start(hooks: str, photos: tuple[str, Path]) -> None:
    before = len(events())
    add_photo(*photos, 2)
    assert "would start" in in_pod("--once --dry-run")
    assert len(events()) == before


def test_a_lost_pod_loses_nothing_and_the_next_one_goes_on(hooks: str) -> None:
    before, (old,) = events(), new_pods()
    kubectl("delete", "pod", old["metadata"]["name"], "--grace-period=0", "--force")
    wait_until(lambda: any(map(ready, new_pods())), 120, "another pod with the lease")
    assert old["metadata"]["name"] not in {pod["metadata"]["name"] for pod in new_pods()}
    wait_until(lambda: events()[-1][4] == "succeeded" and len(events()) > len(before), 120, "its training")
    assert events()[: len(before)] == before and len(events()) == len(before) + 1


def test_it_is_scraped_and_has_no_token_of_the_kubernetes_api(hooks: str) -> None:
    def scraped() -> bool:
        query = 'watch_events_total{namespace="phytoflow-dev",action="train",state="succeeded"}'
        return bool(prometheus("query", query=query)["result"])

    wait_until(scraped, 240, "its metrics in Prometheus")  # its configuration arrives within two minutes
    look = "test ! -e /var/run/secrets/kubernetes.io && test -s $KF_PIPELINES_SA_TOKEN_PATH"
    kubectl("exec", "deployment/watch", "--", "sh", "-c", look)
