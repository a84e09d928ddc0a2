"""The whole round: identify, correct, review, collect, retrain; the next model has learnt from it."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.client.gateway import GatewayClient
from phytoflow.data.feedback.collect import HELD_OUT
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.inference.classifier import Classifier
from tests.support.services.gateway import RunningGateway, start_gateway

pytestmark = pytest.mark.timeout(1800)
FAST = [
    "preset=fast",
    "evaluation.bootstrap_samples=200",
    "gate.max_latency_ms=5000",
    "gate.min_accuracy=0.1",
]
FAST += ["gate.min_macro_f1=0.1"]
NEW = "rust"


def phytoflow(*arguments: object) -> str:
    command = [sys.executable, "-m", "phytoflow.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def train(photos: Path, output: Path, *settings: str) -> None:
    options = [word for setting in [*FAST, *settings] for word in ("--set", setting)]
    phytoflow("run", "--data", photos, "--output", output, *options)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def correct(gateway: RunningGateway, user: str, file: Path, label: str) -> str:
    """A user has a photo identified and says what it is; the id of the prediction."""
    with GatewayClient(gateway.url, gateway.token(user)) as client:
        answer = client.predict(file)
        return client.feedback(answer.id, "label", label).id


def test_a_corrected_photo_teaches_the_next_model(tmp_path: Path) -> None:
    photos, aside = tmp_path / "photos", tmp_path / "aside"
    make_synthetic_dataset(photos, photos_per_class=16, seed=2)
    shutil.move(photos / NEW, aside)  # the first model has never seen it
    train(photos, tmp_path / "first")
    first = Bundle.load(tmp_path / "first" / "bundle")
    assert NEW not in first.manifest.classes
    try:
        serving = json.loads((tmp_path / "first" / "predictor.json").read_text())
        gateway = start_gateway(tmp_path, f"http://127.0.0.1:{serving['http_port']}")
        ids = [correct(gateway, f"user{n}", f, NEW) for n, f in enumerate(sorted(aside.iterdir()))]
        tests = first.test_photos().digests
        test_photo = next(file for file in sorted(photos.rglob("*.jpg")) if digest(file) in tests)
        held_out = correct(gateway, "anna", test_photo, test_photo.parent.name)
        with gateway.client("rita", "review") as reviewer:
            waiting = {one["id"] for one in reviewer.get("/v1/review?limit=200").json()}
            assert waiting == {*ids, held_out}
            for id_ in waiting:
                label = test_photo.parent.name if id_ == held_out else NEW
                assert reviewer.post(f"/v1/review/{id_}", json={"label": label}).status_code == 200
        (tmp_path / "token").write_text(gateway.token("rita", "review"))
        said = phytoflow(
            *("data", "collect", "--feedback", gateway.url, "--token-file", tmp_path / "token"),
            *("--output", photos, "--bundle", first.path),
        )
        gateway.stop()
    finally:
        phytoflow("stop", "--output", tmp_path / "first")

    assert f"1 not collected: {HELD_OUT}" in said
    with (photos / "provenance.csv").open(encoding="utf-8") as lines:
        provenance = {row["prediction_id"]: row for row in csv.DictReader(lines)}
    assert provenance.keys() == set(ids)
    assert {row["model_version"] for row in provenance.values()} == {first.manifest.version}

    train(photos, tmp_path / "second", f"data.groups_csv={photos / 'groups.csv'}")
    phytoflow("stop", "--output", tmp_path / "second")
    second = Bundle.load(tmp_path / "second" / "bundle")
    learnt = [row for row in provenance.values() if row["file_sha256"] in second.training_photos()]
    assert len(learnt) >= len(ids) // 2  # the others are for validation and test
    contents = [(photos / row["path"]).read_bytes() for row in learnt]
    named = Classifier.load(second.path).predict(contents).labels()
    assert {row["predicted"] for row in learnt}.isdisjoint({NEW})
    assert named.count(NEW) >= 0.8 * len(named), named
