"""`phytoflow rollout run --service` on a cluster: killed, promoted, refused; users notice nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import RolloutError
from phytoflow.tracking.registry import champion_number
from phytoflow.tracking.settings import TrackingSettings
from tests.e2e.cluster import NAMESPACE, get, kubectl, pods, wait_until
from tests.e2e.conftest import SMALL, Versions
from tests.e2e.names import PREFIX, own_name
from tests.e2e.renewal.test_rollout import Service, check_nobody_noticed, serving

NAME = own_name("run")[: len(PREFIX) + 4]  # short: KServe makes host names of it and the version
# Random models disagree always, and on a busy machine an equal one may seem slow.
LENIENT = {"min_pairs": 20, "watch_pairs": 20, "canary_percents": [50], "margin": 1.0, "max_shift": 1.0}
LENIENT |= {"slow_factor": 50.0, "expected_disagreements": 0.95, "bad_disagreements": 0.99}
STRICT = LENIENT | {"expected_disagreements": 0.01, "bad_disagreements": 0.2}
pytestmark = pytest.mark.timeout(1500)


@dataclass(frozen=True)
class Command:
    """The command with its files.

    Attributes:
        service: The gateway.
        folder: Where the files are.
        tracking: The registry.
    """

    service: Service
    folder: Path
    tracking: TrackingSettings

    def begin(self, uri: str, thresholds: dict[str, object]) -> subprocess.Popen[str]:
        """Starts it."""
        deploy = SMALL.model_dump(mode="json") | {"namespace": NAMESPACE}
        contents = {"deploy": deploy, "tracking": self.tracking.model_dump(mode="json")}
        for name, tree in (("config", contents), ("thresholds", thresholds)):
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
        (self.folder / "token").write_text(self.service.issuer.token("ada", ["review", "admin"]))
        words = ["rollout", "run", uri, "--service", NAME, "--url", self.service.url]
        for option in ("config.yaml", "thresholds.yaml", "token"):
            name = {"token": "token-file"}.get(option, option.removesuffix(".yaml"))
            words += [f"--{name}", str(self.folder / option)]
        command = [sys.executable, "-m", "phytoflow.cli", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self, process: subprocess.Popen[str]) -> str:
        """Its output and exit code."""
        output, _ = process.communicate(timeout=600)
        return f"{output}\nexit code {process.returncode}"

    def stage(self) -> str:
        """Stage of the newest rollout; empty before the first one."""
        return str(self.service.admin.get("/v1/rollouts/current").json().get("stage", ""))


@pytest.fixture(scope="module")
def command(address: str, versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("rollout")
    versions.deploy(NAME, 0, SMALL)
    with serving(NAME, address, versions, folder) as service:
        yield Command(service, folder, TrackingSettings(uri=f"sqlite:///{folder / 'mlflow.db'}"))
    kubectl("delete", "inferenceservice", NAME, "--ignore-not-found")


def services() -> list[str]:
    """Names of the InferenceServices of this test."""
    names = [one["metadata"]["name"] for one in get("inferenceservices")["items"]]
    return [name for name in names if name.startswith(NAME)]


def test_a_rollout_that_is_killed_goes_on_and_its_model_becomes_the_champion(
    command: Command, versions: Versions
) -> None:
    new = Bundle.load(versions.folders[1]).manifest.version
    with command.service.busy(pause=1.0) as users:  # without a pause the canary is over within a moment
        killed = command.begin(versions.uris[1], LENIENT)
        wait_until(lambda: command.stage() == "canary" or killed.poll() is not None, 300, "the canary")
        assert killed.poll() is None, killed.communicate()[0]
        killed.kill()
        killed.wait()
        first = command.service.call()["id"]
        assert services() == [NAME, f"{NAME}-{new[:8]}"]
        output = command.end(command.begin(versions.uris[1], LENIENT))
    assert "exit code 0" in output, output
    assert len(pods(NAME, going=True)) == 1  # the former champion's pod answers nobody any more
    state = command.service.call()
    assert (state["id"], state["stage"]) == (first, "settled")
    check_nobody_noticed(users)
    assert {command.service.version(f"user {number}") for number in range(8)} == {new}
    wait_until(lambda: services() == [NAME], 60, "the challenger's service is gone")
    assert champion_number(command.tracking, command.folder) == "1"
    annotations = get("inferenceservice", NAME)["metadata"]["annotations"]
    assert annotations["phytoflow/model-version"] == "1"
    assert "exit code 0" in command.end(command.begin(versions.uris[1], LENIENT))  # once more says the same


def test_one_that_is_refused_changes_nothing(command: Command, versions: Versions) -> None:
    before = command.service.version("anna")
    with command.service.busy() as users:
        output = command.end(command.begin(versions.uris[0], STRICT))
    assert f"exit code {RolloutError.exit_code}" in output and "another class" in output, output
    check_nobody_noticed(users)
    assert command.service.version("anna") == before
    wait_until(lambda: services() == [NAME], 60, "the challenger's service is gone")
    assert champion_number(command.tracking, command.folder) == "1"
