"""The whole circle with its trainings on Kubeflow Pipelines: alarm, run, rollout, promotion; then a refusal.

A stack on this machine answers; photos, models and trainings are on the cluster. The kill of the watcher is
tested with the local runner, in tests/slow/test_circle.py.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from minio import Minio

from benchmarks.stack.running import RunningStack, started
from phytoflow.bundle.bundle import Bundle
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.stack.plan import OPTIONAL
from phytoflow.storage.uri import fetch_folder, put_folder
from phytoflow.tracking.registry import champion_number
from phytoflow.tracking.settings import TrackingSettings
from tests.e2e.cluster import forwarded
from tests.e2e.kubeflow.runs import Runs
from tests.e2e.names import own_name
from tests.slow.test_circle import (
    SETTINGS,
    THRESHOLDS,
    Farm,
    accuracy,
    clean,
    events,
    notice,
    other_camera,
    phytoflow,
    spoil,
    watch,
)
from tests.support.services.processes import wait_until

pytestmark = pytest.mark.timeout(4 * 3600)
MODEL = own_name("circle")
RUN_SECONDS = 5400.0
CPU = {"training": {"device": "cpu"}, "tracking": {"registered_model": MODEL}}
CHALLENGER = """
set -e
python -c 'import sys; from pathlib import Path; from phytoflow.storage.uri import fetch_folder
fetch_folder(sys.argv[1], Path(sys.argv[2]))' "$1" "$2/bundle"
exec python -m phytoflow.cli rollout run "$2/bundle" --directory "$3" --thresholds "$4" --config "$5"
"""


@dataclass(frozen=True)
class Place:
    """Where everything is.

    Attributes:
        folder: Files of this machine.
        runs: The backend and the store.
        tracking: The cluster's registry, as this machine reaches it.
    """

    folder: Path
    runs: Runs
    tracking: TrackingSettings

    @property
    def data(self) -> str:
        """The photos in the store."""
        return f"{self.runs.prefix}/leaves"

    def put_photos(self, folder: Path) -> None:
        """Replaces the photos in the store."""
        bucket, _, prefix = self.data.removeprefix("s3://").partition("/")
        store = minio()
        for item in store.list_objects(bucket_name=bucket, prefix=f"{prefix}/", recursive=True):
            store.remove_object(bucket_name=bucket, object_name=str(item.object_name))
        put_folder(folder, self.data)

    def write_settings(self, stack: RunningStack) -> Path:
        """Settings of `phytoflow watch`, as docs/how-to/renew.md shows them for Kubeflow Pipelines."""
        cluster = {**SETTINGS, **CPU, "serving": {"publish": False}}
        cluster["data"] = {**SETTINGS["data"], "groups_csv": f"{self.data}/groups.csv"}  # type: ignore[dict-item]
        (self.folder / "cluster.yaml").write_text(yaml.safe_dump(cluster))
        (self.folder / "thresholds.yaml").write_text(yaml.safe_dump(THRESHOLDS))
        (self.folder / "challenger.sh").write_text(CHALLENGER)
        place = ["--feedback", "{gateway}", "--token-file", "{token_file}", "--output", "{data}"]
        champion = ["--bundle", str(stack.layout.bundle("champion"))]
        tree = {
            "directory": str(self.folder / "watch"),
            "every_seconds": 5,
            "triggers": {
                "data": self.data,
                "gateway": stack.url,
                "token_file": str(self.folder / "token"),
                "corrections": 30,
                "drift": ["harmful", "unfamiliar"],
            },
            "limits": {"cool_down_hours": 0, "trainings_per_day": 4},
            "prepare": [sys.executable, "-m", "phytoflow.cli", "data", "collect", *place, *champion],
            "train": self._train(),
            "rollout": self._rollout(stack),
        }
        (self.folder / "watch.yaml").write_text(yaml.safe_dump(tree))
        return self.folder / "watch.yaml"

    def _train(self) -> list[str]:
        output = f"{self.runs.prefix}/{{event}}"
        command = [sys.executable, "-m", "phytoflow.cli", "pipeline", "submit", "--host", self.runs.host]
        command += ["--pipeline", str(self.runs.package()), "--data", "{data}", "--output", output]
        command += ["--name", f"{MODEL}-{{event}}", "--once", "--wait-seconds", f"{RUN_SECONDS:g}"]
        return [*command, "--config", str(self.folder / "cluster.yaml")]

    def _rollout(self, stack: RunningStack) -> list[str]:
        files = (self.folder / name for name in ("thresholds.yaml", "pipeline.yaml"))
        bundle = f"{self.runs.prefix}/{{event}}/bundle"
        command = ["sh", str(self.folder / "challenger.sh"), bundle, "{output}"]
        return [*command, str(stack.layout.directory), *map(str, files)]


def minio() -> Minio:
    address = urlsplit(os.environ["AWS_ENDPOINT_URL_S3"])
    keys = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    return Minio(endpoint=address.netloc, access_key=keys[0], secret_key=keys[1], secure=False)


def test_another_camera_is_learnt_on_the_cluster_and_spoiled_photos_are_refused(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    photos = make_synthetic_dataset(tmp_path / "photos", photos_per_class=30, seed=3)
    with forwarded("service/mlflow", 5000) as port:
        tracking = TrackingSettings(uri=f"http://127.0.0.1:{port}", registered_model=MODEL)
        place = Place(tmp_path, runs, tracking)
        place.put_photos(photos)
        local = {**SETTINGS, **CPU, "tracking": {"uri": tracking.uri, "registered_model": MODEL}}
        (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(local))
        first = tmp_path / "first"
        phytoflow("run", "--data", photos, "--output", first, "--config", "pipeline.yaml", cwd=tmp_path)
        phytoflow("stop", "--output", first, cwd=tmp_path)
        assert champion_number(tracking, tmp_path) == "1"
        with started(first / "bundle", tmp_path / "stack", OPTIONAL) as stack:
            go_round(place, stack, first / "bundle")


def go_round(place: Place, stack: RunningStack, first: Path) -> None:
    """From an alarm to a promotion, and to a refusal."""
    farm, file, folder = Farm(stack), place.write_settings(stack), place.folder
    (folder / "token").write_text(farm.reviewer)
    phytoflow("watch", file, "--once", cwd=folder)
    assert {state for *_, state in events(folder)} == {"baseline"}
    old = notice(farm)
    with farm.at_work():
        renew(folder)
    new = farm.ask(other_camera(0))
    assert new != old and farm.failed == []
    assert champion_number(place.tracking, folder) == "2"
    second = stack.layout.bundle("champion").resolve()
    assert Bundle.load(second).manifest.version == new
    tests = [clean(number, 21) for number in range(80)], [other_camera(n, 22) for n in range(80)]
    before, after = ([accuracy(bundle, one) for one in tests] for bundle in (first, second))
    assert after[1] >= before[1] + 0.1 and after[0] >= before[0] - 0.05, (before, after)

    spoiled = fetch_folder(place.data, folder / "spoiled")
    spoil(spoiled)
    place.put_photos(spoiled)
    phytoflow("watch", file, "--once", cwd=folder)
    assert ("data", "train", "refused") in events(folder)
    assert champion_number(place.tracking, folder) == "2"
    assert {farm.ask(clean(number)) for number in range(3)} == {new}


def renew(folder: Path) -> None:
    """One training on the cluster for all triggers, then its rollout."""
    watcher = watch(folder)
    ended = ("succeeded", "refused", "failed")
    try:
        wait_until(
            lambda: any(s in ended and (a == "rollout" or s != "succeeded") for _, a, s in events(folder)),
            2 * RUN_SECONDS,
            "a rollout",
        )
    finally:
        watcher.terminate()
        watcher.wait()
    log = (folder / "watch.out").read_text()
    began = [one for one in events(folder) if one[2] not in ("baseline", "covered")]
    assert [one[1:] for one in began] == [("train", "succeeded"), ("rollout", "succeeded")], log
    assert {"drift", "corrections"} <= {trigger for trigger, *_ in events(folder)}, log
