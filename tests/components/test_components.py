"""Components as kfp runs them, each a process of its own. Whole runs are in tests/slow."""

import ast
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl, local

from components.configure import configure
from components.finish import finish
from components.image import PLACEHOLDER
from components.refuse import refuse
from phytoflow.steps import STEPS
from phytoflow.steps import settings as of_steps
from phytoflow.steps.configure import NO_DATA
from phytoflow.steps.settings import StepSettings

ROOT = Path(__file__).resolve().parents[2]
SEARCH = ("configure_search", "open_search", "work_on_search", "conclude_search")
NAMES = (*STEPS, "scan", "merge", "refuse", "finish", *SEARCH)


def file_of(name: str) -> Path:
    return ROOT / "components" / ("search" if name in SEARCH else "") / f"{name}.py"


def component(name: str) -> Any:
    module = ".".join(file_of(name).relative_to(ROOT).with_suffix("").parts)
    return getattr(importlib.import_module(module), name)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """KFP's local runner; steps write below this folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))
    return tmp_path


def test_there_is_a_component_for_each_step() -> None:
    files = {path.stem for path in (ROOT / "components").rglob("*.py")} - {"__init__", "image"}
    assert files == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_documents_its_inputs_and_leaves_its_image_open(name: str) -> None:
    spec = component(name).component_spec
    function: Callable[..., Any] = component(name).python_func
    assert spec.implementation.container.image == PLACEHOLDER
    documentation = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters:
        assert f"{parameter}: " in documentation, parameter


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_thin_wrapper(name: str) -> None:
    source = file_of(name).read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 70
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert any(isinstance(node, ast.With) for node in function.body)  # `with step(...)`


def test_configure_hands_each_step_settings_that_it_accepts(here: Path) -> None:
    (here / "photos" / "rust").mkdir(parents=True)
    (here / "photos" / "rust" / "1.jpg").write_bytes(b"a photo")
    overrides = "serving: {publish: false}\ntraining.batch_size: 9"
    data, output = str(here / "photos"), str(here / "out")
    plan = configure(data=data, preset="fast", seed=3, overrides=overrides, output=output).outputs
    kinds = [kind for kind in vars(of_steps).values() if isinstance(kind, type)]
    steps = [kind for kind in kinds if issubclass(kind, StepSettings) and kind is not StepSettings]
    for kind in steps:
        kind.from_json(plan[f"for_{kind.__name__.removesuffix('StepSettings').lower()}"])
    train = of_steps.TrainStepSettings.from_json(plan["for_train"])
    assert (train.seed, train.training.batch_size, train.training.finetune_blocks) == (3, 9, 0)
    assert plan["data_version"] and plan["code_version"]
    assert plan["external_data_version"] == plan["ood_data_version"] == NO_DATA


def test_refuse_fails_with_its_reason(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError):
        refuse(reason="accuracy 0.5 is below 0.8")
    assert "the gate refused this model: accuracy 0.5 is below 0.8" in capfd.readouterr().out


def test_finish_is_told_how_the_run_ended(here: Path) -> None:
    @dsl.pipeline
    def run(output: str) -> None:
        with dsl.ExitHandler(finish(output=output)):
            refuse(reason="too weak")

    with pytest.raises(RuntimeError):
        run(output=str(here / "out"))
    assert '"state": "FAILED"' in (here / "out" / "outcome.json").read_text()
