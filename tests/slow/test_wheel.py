"""The wheel with its extra `all` in an empty environment, outside any checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from tests.support.wheel import ROOT, build_wheel, make_environment, site_packages

pytestmark = pytest.mark.timeout(1800)


def test_it_takes_sixty_photos_to_an_answering_predictor(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "dist")
    versions = ["--constraint", str(ROOT / "requirements" / "all.lock")]
    commands = make_environment(tmp_path / "environment", *versions, f"phytoflow[all] @ {wheel.as_uri()}")
    work = tmp_path / "work"
    make_synthetic_dataset(work / "photos", photos_per_class=12, seed=3)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def phytoflow(*words: str) -> str:
        command = [str(commands / "phytoflow"), *words]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    limits = ["gate.min_accuracy=0.1", "gate.min_macro_f1=0.1", "gate.max_latency_ms=1000"]
    settings = [word for setting in ["preset=fast", *limits] for word in ("--set", setting)]
    text = phytoflow("run", "--data", "photos", *settings)
    try:
        url = text.partition("The predictor answers at ")[2].partition("/v2/")[0]
        photo = next((work / "photos" / "rust").iterdir())
        assert phytoflow("predict", str(photo), "--url", url).startswith(f"{photo}: ")
    finally:
        assert phytoflow("stop") == "stopped\n"
    phytoflow("pipeline", "compile", "--image", "registry/pipeline:1")
    assert list(yaml.safe_load_all((work / "pipeline.yaml").read_text()))
    assert str(site_packages(commands)) in phytoflow_place(commands, work)


def phytoflow_place(commands: Path, work: Path) -> str:
    """Where that environment imports phytoflow from."""
    code = [str(commands / "python"), "-c", "import phytoflow; print(phytoflow.__file__)"]
    return subprocess.run(code, cwd=work, capture_output=True, text=True, check=True).stdout
