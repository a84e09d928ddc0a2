"""`phytoflow rollout run` on a real stack: promoted, killed on the way, refused; users notice nothing."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.stack.running import RunningStack, started
from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import RolloutError
from phytoflow.stack.control import read_state
from phytoflow.stack.models import read_plan
from phytoflow.stack.plan import OPTIONAL
from phytoflow.tracking.registry import champion_number
from phytoflow.tracking.settings import TrackingSettings
from serving.gateway.auth.local_issuer import LocalIssuer
from tests.support.golden import BUNDLE
from tests.support.make_bundle import make_bundle, pictures
from tests.support.services.processes import wait_until

pytestmark = pytest.mark.timeout(900)
PHOTOS = [photo.content for photo in pictures(6)]
THRESHOLDS = """
min_pairs: 20
watch_pairs: 20
canary_percents: [50]
margin: 1.0
expected_disagreements: 0.95
bad_disagreements: 0.99
max_shift: 1.0
slow_factor: 50
"""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    with started(BUNDLE, tmp_path / "stack", OPTIONAL) as running:
        yield running


@pytest.fixture
def challenger(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "run" / "bundle")


class Users:
    """Twenty users who go on asking."""

    def __init__(self, stack: RunningStack) -> None:
        self.statuses: list[int] = []
        self._stack, self._ended = stack, threading.Event()
        self._issuer = LocalIssuer.open(stack.layout.directory)

    def ask_on(self) -> None:
        tokens = [self._issuer.token(f"user {number}", ["predict"]) for number in range(20)]
        with httpx.Client(base_url=self._stack.url, timeout=60, trust_env=False) as client:
            for number in itertools.count():
                if self._ended.is_set():
                    return
                headers = {"Authorization": f"Bearer {tokens[number % 20]}", "Content-Type": "image/png"}
                photo = PHOTOS[number % len(PHOTOS)]
                self.statuses.append(client.post("/v1/predict", content=photo, headers=headers).status_code)
                time.sleep(0.1)  # the canary takes some seconds

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.ask_on)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def admin(stack: RunningStack) -> httpx.Client:
    token = LocalIssuer.open(stack.layout.directory).token("ada", ["predict", "review", "admin"])
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=stack.url, headers=headers, timeout=60, trust_env=False)


def state_of(stack: RunningStack) -> dict[str, Any]:
    with admin(stack) as client:
        return dict(client.get("/v1/rollouts/current").json())


def answering(stack: RunningStack) -> str:
    with admin(stack) as client:
        answer = client.post("/v1/predict", content=PHOTOS[0], headers={"Content-Type": "image/png"})
    return str(answer.json()["model"]["version"])


def begin(stack: RunningStack, bundle: Path, thresholds: str = THRESHOLDS) -> subprocess.Popen[str]:
    file = bundle.parent / "thresholds.yaml"
    file.write_text(thresholds)
    words = ["rollout", "run", str(bundle), "--thresholds", str(file)]
    words += ["--directory", str(stack.layout.directory)]
    command = [sys.executable, "-m", "phytoflow.cli", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=300)
    return f"{output}\nexit code {process.returncode}"


def test_a_rollout_that_is_killed_goes_on_and_the_stack_keeps_the_model(
    stack: RunningStack, challenger: Path
) -> None:
    version, users = Bundle.load(challenger).manifest.version, Users(stack)
    assert answering(stack) != version
    with users.asking():
        killed = begin(stack, challenger)
        wait_until(lambda: state_of(stack).get("stage") == "canary", 120, "the canary")
        killed.kill()
        first = state_of(stack)["id"]
        assert "exit code 0" in (output := end(begin(stack, challenger))), output
        assert "exit code 0" in end(begin(stack, challenger))  # once more says the same
        state = state_of(stack)
    assert (state["id"], state["stage"]) == (first, "settled")
    assert set(users.statuses) == {200} and len(users.statuses) > 60
    assert answering(stack) == version
    wait_until(lambda: "challenger" not in read_state(stack.layout).services, 60, "the challenger ends")
    assert read_plan(stack.layout).bundle == str(challenger)
    assert champion_number(TrackingSettings(), challenger.parent) == "1"
    stack.kill("predictor")  # it comes again with the new model
    wait_until(lambda: answering(stack) == version, 60, "the new model answers")
    links = [stack.layout.bundle(role) for role in ("champion", "challenger")]
    assert links[0].resolve() == challenger.resolve() and not links[1].is_symlink()


def test_one_that_is_refused_changes_nothing(stack: RunningStack, challenger: Path) -> None:
    before, users = answering(stack), Users(stack)
    strict = THRESHOLDS + "expected_disagreements: 0.01\nbad_disagreements: 0.2\n"
    strict = strict.replace("expected_disagreements: 0.95\nbad_disagreements: 0.99\n", "")
    with users.asking():
        output = end(begin(stack, challenger, strict))
    assert f"exit code {RolloutError.exit_code}" in output and "another class" in output, output
    assert f"exit code {RolloutError.exit_code}" in end(begin(stack, challenger, strict))
    assert set(users.statuses) == {200} and answering(stack) == before
    assert read_plan(stack.layout).challenger == ""
    wait_until(lambda: "challenger" not in read_state(stack.layout).services, 60, "the challenger ends")
    assert champion_number(TrackingSettings(), challenger.parent) is None
