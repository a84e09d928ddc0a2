"""The packages around phytoflow are found; in an installed wheel, see test_wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow import outer_packages
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import environment_for, make_importable, outer_folder

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("package", ["components", "pipelines", "serving"])
def test_in_a_checkout_they_stand_next_to_phytoflow(package: str) -> None:
    assert outer_folder(package) == ROOT


def test_a_wheels_own_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "__init__.py").write_text("")
    monkeypatch.setattr(outer_packages, "_PLACES", (tmp_path, ROOT))
    assert outer_folder("serving") == tmp_path and outer_folder("pipelines") == ROOT


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outer_packages, "_PLACES", (tmp_path,))
    with pytest.raises(ConfigError, match="`pipelines` package is not part of this installation"):
        make_importable("pipelines")


def test_a_new_process_imports_them_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = environment_for("serving")
    assert environment["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    command = [sys.executable, "-P", "-c", "import serving.predictor"]
    assert subprocess.run(command, env=environment, cwd=tmp_path).returncode == 0
