"""Publishing on this machine with the real predictor: what goes wrong on the way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from phytoflow.deploy.local.process import PredictorProcess
from phytoflow.deploy.local.publisher import publish, stop
from phytoflow.deploy.settings import ServingSettings
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from tests.support.make_bundle import pictures
from tests.support.services.processes import runs

SETTINGS = ServingSettings(runtime="onnx", ready_timeout_seconds=120)
PHOTOS = pictures(6)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "out" / "predictor.json"
    yield file
    stop(file)


def test_it_outlives_its_publisher_and_holds_none_of_its_pipes(bundle: Path, state: Path) -> None:
    code = (
        "from pathlib import Path; from phytoflow.deploy.settings import ServingSettings as S; "
        "from phytoflow.deploy.local.publisher import publish; "
        f"print(publish(Path({str(bundle)!r}), S(runtime='onnx'), Path({str(state)!r}), []).url)"
    )
    root = Path(__file__).parents[2]
    begun = time.monotonic()  # a pipe held by the predictor would keep this waiting for ever
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    assert time.monotonic() - begun < 110
    url = done.stdout.split()[-1]
    assert httpx.get(f"{url}/v2/models/leaf/ready").status_code == 200


def test_what_a_killed_publish_left_is_ended_by_the_next(bundle: Path, state: Path) -> None:
    state.parent.mkdir()
    left = publish(bundle, SETTINGS, state, [])
    state.rename(state.with_name(f"{state.name}.starting"))  # as if killed before it was found good
    publish(bundle, SETTINGS, state, [])
    assert not runs(left.pid)


def test_a_bundle_that_cannot_be_served_leaves_the_former_one(
    bundle: Path, state: Path, tmp_path: Path
) -> None:
    former = publish(bundle, SETTINGS, state, PHOTOS)
    wrong = shutil.copytree(bundle, tmp_path / "wrong")
    manifest = json.loads((wrong / "bundle.json").read_text())
    manifest["probes"][0]["probabilities"] = [0.0, 0.0, 1.0]
    (wrong / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(ServingError, match="recorded answers"):  # from the end of its log
        publish(wrong, SETTINGS, state, PHOTOS)
    assert httpx.get(f"{former.url}/v2/models/leaf/ready").status_code == 200
    serving = PredictorProcess.read(state)
    assert serving and serving.pid == former.pid


def test_the_same_port_is_taken_over(bundle: Path, state: Path) -> None:
    settings = SETTINGS.model_copy(update={"http_port": free_port()})
    first = publish(bundle, settings, state, [])
    second = publish(bundle, settings, state, [])
    assert first.url == second.url
    assert not runs(first.pid)
