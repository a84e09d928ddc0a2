"""Whole runs at the gate: refused with the reason, then, with limits it meets, published from the cache."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.synthetic.dataset import make_synthetic_dataset

pytestmark = pytest.mark.timeout(900)
FAST = ["preset=fast", "evaluation.bootstrap_samples=200", "gate.max_latency_ms=500"]


def phytoflow(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phytoflow.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(photos: Path, output: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    options = [word for setting in [*FAST, *settings] for word in ("--set", setting)]
    return phytoflow("run", "--data", photos, "--output", output, *options)


def test_the_gate_refuses_with_its_reason_and_passes_what_meets_it(tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "100% leaf?#1 ü"
    make_synthetic_dataset(photos, photos_per_class=12, seed=2)

    refused = run(photos, output, "gate.max_latency_ms=0.01")
    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert "latency" in refused.stderr and "is above 0.01 ms" in refused.stderr
    assert (output / "report.html").exists() and (output / "metrics.json").exists()
    assert not (output / "bundle").exists() and not (output / "predictor.json").exists()

    passed = run(photos, output, "gate.min_accuracy=0.1", "gate.min_macro_f1=0.1")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "[train]" not in passed.stdout  # the steps before the gate came from the cache
    try:
        state = json.loads((output / "predictor.json").read_text())
        model = f"http://127.0.0.1:{state['http_port']}/v2/models/leaf"
        assert httpx.get(f"{model}/ready").status_code == 200
        assert httpx.get(model).json()["versions"] == [Bundle.load(output / "bundle").manifest.version]
        assert f":{state['http_port']}" in passed.stdout
    finally:
        assert "stopped" in phytoflow("stop", "--output", output).stdout
