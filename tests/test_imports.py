"""Holds the import directions: pipelines -> components -> phytoflow <- serving."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTER = {"components", "pipelines", "serving"}
FORBIDDEN = {
    "phytoflow": OUTER | {"kfp", "kserve"},
    "serving": {"kfp", "components", "pipelines"},
    "components": {"pipelines", "serving", "kserve", "torch"},
    "pipelines": {"serving", "kserve", "torch"},
}
COMPOSITION_ROOT = {
    f"phytoflow/cli/{name}.py"
    for name in (
        "drift/database",
        "pipeline",
        "run",
        "serve",
        "service/gateway",
        "service/rollout",
        "service/stack",
    )
}
ONLY_PLACE_OF = {
    "mlflow": "phytoflow/tracking/",
    "minio": "phytoflow/storage/",
    "kubernetes": "phytoflow/deploy/",
}


def _files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Top-level package of each import, and whether it stands inside a function."""
    inside = {
        n
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        for n in ast.walk(f)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node in inside


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_rooms_import_only_what_they_may(folder: str) -> None:
    for path in _files(folder):
        name = path.relative_to(ROOT).as_posix()
        for package, inside in _imports(ast.parse(path.read_text())):
            if name in COMPOSITION_ROOT and inside:
                continue
            assert package not in FORBIDDEN[folder], f"{name} imports {package}"


def test_components_import_phytoflow_inside_their_body_only() -> None:
    for path in _files("components"):
        outside = {package for package, inside in _imports(ast.parse(path.read_text())) if not inside}
        assert "phytoflow" not in outside, path.name


@pytest.mark.parametrize("package", ONLY_PLACE_OF)
def test_each_service_is_talked_to_from_one_place(package: str) -> None:
    for path in _files("phytoflow") + _files("serving"):
        name = path.relative_to(ROOT).as_posix()
        found = {p for p, _ in _imports(ast.parse(path.read_text()))}
        assert package not in found or name.startswith(ONLY_PLACE_OF[package]), f"{name} imports {package}"


@pytest.mark.parametrize(
    "module", ["phytoflow.inference.classifier", "phytoflow.client", "phytoflow.bundle.bundle"]
)
def test_serving_needs_no_training_stack(module: str) -> None:
    heavy = ["torch", "pandas", "mlflow", "matplotlib", "lightning", "timm"]
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
