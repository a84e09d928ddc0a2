"""The pod of `watch` rolls a challenger out: killed in the canary, it goes on; users notice nothing.

The training is a copy of a bundle that was made before; tests/e2e/kubeflow/test_circle.py trains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from phytoflow.bundle.bundle import Bundle
from tests.e2e.cluster import get, kubectl, ready, wait_until
from tests.e2e.conftest import SMALL, Versions
from tests.e2e.names import PREFIX, own_name
from tests.e2e.renewal.test_rollout import Service, check_nobody_noticed, serving
from tests.e2e.renewal.watch_feature import FEATURES, add_photo, audit_log, new_pods, new_prefix, watching
from tests.e2e.test_gateway import set_environment

NAME = f"{own_name('')[: len(PREFIX) + 3]}w"  # short: KServe makes host names of it and the version
_PAUSE = 0.2  # seconds between two requests of a user: the pods need the CPUs, too
_VARIABLE = "PHYTOFLOW_WATCH__ROLLOUT"
# Random models disagree always, and on a busy machine an equal one may seem slow.
THRESHOLDS = {
    "MIN_PAIRS": "200",  # a stage lasts some seconds
    "WATCH_PAIRS": "20",
    "CANARY_PERCENTS": "[50]",
    "MARGIN": "1.0",
    "MAX_SHIFT": "1.0",
    "SLOW_FACTOR": "50",
    "EXPECTED_DISAGREEMENTS": "0.95",
    "BAD_DISAGREEMENTS": "0.99",
}
_COPY = (
    "import sys; from pathlib import Path; from phytoflow.storage.uri import fetch_folder, put_folder; "
    "put_folder(fetch_folder(sys.argv[1], Path(sys.argv[2])), sys.argv[3])"
)
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Watch:
    """The pod and what it works with.

    Attributes:
        service: The gateway.
        photos: Class folders in the store, and the folder that they come from.
    """

    service: Service
    photos: tuple[str, Path]

    def stage(self) -> str:
        """Stage of this test's rollout; empty before it begins."""
        newest = self.service.admin.get("/v1/rollouts/current").json()
        return str(newest["stage"]) if NAME in newest.get("challenger", "") else ""

    def rollouts(self) -> list[list[str]]:
        """Words of each rollout in the audit log."""
        return [words for words in audit_log() if words[3] == "rollout"]

    def ended(self) -> bool:
        """Whether a rollout has ended, however."""
        return any(words[4] not in ("waiting", "running") for words in self.rollouts())


def rollout_command(runs: str) -> list[str]:
    """That of the feature, with the test's own service, runs and name in the registry."""
    component = yaml.safe_load((FEATURES / "watch-rollouts" / "kustomization.yaml").read_text())
    patches = yaml.safe_load(component["patches"][0]["patch"])
    (value,) = [p["value"]["value"] for p in patches if p["path"].endswith("/env/-")]
    own = {"leaf": NAME, "s3://phytoflow/runs/{event}/bundle": f"{runs}/{{event}}/bundle"}
    words = [own.get(word, word) for word in yaml.safe_load(value)]
    return [*words, "--set", f"tracking.registered_model={NAME}", "--set", "deploy.cpu_request=50m"]


@pytest.fixture(scope="module")
def watch(address: str, versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """A champion, a gateway with short stages, and `watch` with both features."""
    photos, runs = (new_prefix(), tmp_path_factory.mktemp("photos")), new_prefix()
    add_photo(*photos, 0)
    train = ["python", "-c", _COPY, versions.uris[1], "/tmp/bundle", f"{runs}/{{event}}/bundle"]
    variables = {
        "PHYTOFLOW_WATCH__TRIGGERS__DATA": photos[0],
        "PHYTOFLOW_WATCH__TRAIN": json.dumps(train),
        _VARIABLE: json.dumps(rollout_command(runs)),
        "PHYTOFLOW_WATCH__EVERY_SECONDS": "2",
        "PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS": "0",
    }
    thresholds = {f"PHYTOFLOW_GATEWAY__ROLLOUT__{name}": value for name, value in THRESHOLDS.items()}
    versions.deploy(NAME, 0, SMALL)
    set_environment(*(f"{name}={value}" for name, value in thresholds.items()))
    with (
        serving(NAME, address, versions, tmp_path_factory.mktemp("issuer")) as service,
        watching(tmp_path_factory.mktemp("watch"), ["watch", "watch-rollouts"], "review,admin", variables),
    ):
        yield Watch(service, photos)
    set_environment(*(f"{name}-" for name in thresholds))
    kubectl("delete", "inferenceservice", NAME, "--ignore-not-found")


def services() -> list[str]:
    """Names of the InferenceServices of this test."""
    names = [one["metadata"]["name"] for one in get("inferenceservices")["items"]]
    return [name for name in names if name.startswith(NAME)]


def lose_pod() -> None:
    """Kills the pod, and waits for another one that has the lease."""
    (old,) = new_pods()
    kubectl("delete", "pod", old["metadata"]["name"], "--grace-period=0", "--force")
    wait_until(lambda: any(map(ready, new_pods())), 120, "another pod with the lease")


def test_the_pod_rolls_out_what_was_trained_and_a_killed_one_goes_on(
    watch: Watch, versions: Versions
) -> None:
    new = Bundle.load(versions.folders[1]).manifest.version
    wait_until(lambda: bool(audit_log()), 60, "the baseline")
    add_photo(*watch.photos, 1)
    with watch.service.busy(_PAUSE) as users:
        wait_until(lambda: f"{NAME}-{new[:8]}" in services(), 120, "the challenger")
        wait_until(lambda: watch.stage() == "canary", 180, "the canary")
        first = watch.service.call()["id"]
        lose_pod()
        wait_until(watch.ended, 300, "the end of the rollout")
    check_nobody_noticed(users)
    assert [words[4:6] for words in watch.rollouts()] == [["succeeded", "trained"]], watch.rollouts()
    assert "was interrupted: it is resumed" in kubectl("logs", "deployment/watch")
    state = watch.service.call()
    assert (state["id"], state["stage"]) == (first, "settled")
    assert {watch.service.version(f"user {number}") for number in range(8)} == {new}
    wait_until(lambda: services() == [NAME], 60, "the challenger's service is gone")
    assert get("inferenceservice", NAME)["metadata"]["annotations"]["phytoflow/model-version"] == "1"
