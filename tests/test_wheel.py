"""What `pip install` of the wheel gives, outside any checkout. The whole run from it is in tests/slow."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from phytoflow import __version__
from tests.support.wheel import ROOT, build_wheel, make_environment, site_packages

OUTER = ("components", "pipelines", "serving")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment with the wheel; its dependencies are those of this environment."""
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    commands = make_environment(tmp_path_factory.mktemp("environment"), "--no-deps", str(wheel))
    # Only the folder: its .pth files, which name this checkout, are not read from there.
    (site_packages(commands) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return commands


def run(installed: Path, *words: str, cwd: Path) -> str:
    done = subprocess.run([installed / words[0], *words[1:]], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_lands_on_the_top_level_of_site_packages(installed: Path, tmp_path: Path) -> None:
    names = {path.name for path in site_packages(installed).iterdir()} - {"dependencies.pth"}
    assert {name.partition("-")[0] for name in names if not name.startswith("_")} == {"phytoflow"}
    place = run(installed, "python", "-c", "import phytoflow; print(phytoflow.__file__)", cwd=tmp_path)
    assert str(site_packages(installed)) in place
    assert run(installed, "phytoflow", "--version", cwd=tmp_path) == f"phytoflow {__version__}\n"


def test_the_wheel_carries_every_file_of_the_outer_packages(installed: Path) -> None:
    carried = site_packages(installed) / "phytoflow" / "_outer"
    assert {path.name for path in carried.iterdir()} == set(OUTER)
    for package in OUTER:
        files = {p.relative_to(ROOT) for p in (ROOT / package).rglob("*") if p.is_file()}
        wanted = {path for path in files if "__pycache__" not in path.parts}
        assert {p.relative_to(carried) for p in (carried / package).rglob("*") if p.is_file()} == wanted


def test_its_code_version_is_that_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    from phytoflow.provenance import code_version

    code = "from phytoflow.provenance import code_version; print(code_version())"
    assert run(installed, "python", "-c", code, cwd=tmp_path).strip() == code_version()


def test_it_compiles_the_pipeline(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()  # a folder of the user with the name of one of ours
    (tmp_path / "pipelines" / "__init__.py").write_text("raise ImportError('the wrong one')")
    run(installed, "phytoflow", "pipeline", "compile", "--image", "registry/pipeline:1", cwd=tmp_path)
    spec = next(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text()))
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values()}
    assert images == {"registry/pipeline:1"}


def test_it_starts_and_stops_a_predictor(installed: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "__init__.py").write_text("raise ImportError('the wrong one')")
    code = (
        "import sys; from pathlib import Path\n"
        "from phytoflow.deploy.local.publisher import publish\n"
        "from phytoflow.deploy.settings import ServingSettings\n"
        "settings = ServingSettings(runtime='onnx')\n"
        "print(publish(Path(sys.argv[1]), settings, Path('out/predictor.json'), []).url)\n"
    )
    url = run(installed, "python", "-c", code, str(bundle), cwd=tmp_path).split()[-1]
    photo = next(bundle.glob("probes/*"))
    answer = run(installed, "phytoflow", "predict", str(photo), "--url", url, cwd=tmp_path)
    assert answer.startswith(f"{photo}: ")
    assert run(installed, "phytoflow", "stop", cwd=tmp_path) == "stopped\n"
    assert "--max_queue_size" in run(installed, "phytoflow", "serve", "--help", cwd=tmp_path)
