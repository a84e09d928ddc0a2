"""The shape of the repository: layers, no circles, small folders."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("phytoflow", "components", "pipelines", "serving", "benchmarks")
WIDEST = 16


def _modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_layers_are_kept_and_nothing_runs_in_a_circle() -> None:
    """The contracts stand in pyproject.toml under ``tool.importlinter``."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_more_than_sixteen_files(package: str) -> None:
    folders = [ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())]
    widest = max(folders, key=lambda folder: len(list(folder.glob("*.py"))))
    assert len(list(widest.glob("*.py"))) <= WIDEST, widest


def test_the_library_names_the_predictor_in_one_place_only() -> None:
    """An import linter does not see ``python -m serving.predictor``."""
    named = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "phytoflow").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "serving.predictor"
    ]
    assert named == ["phytoflow/deploy/local/process.py"]
