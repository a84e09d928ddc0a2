"""The cluster tests touch nothing of a user's. Needs no cluster."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from tests.e2e import test_kubeflow as kubeflow
from tests.e2e.names import PREFIX, own_name

MODULES = sorted(Path(__file__).parent.glob("test_*.py"))
# They delete in a namespace of their own, which tests/e2e/place.py creates and removes.
OWN_NAMESPACE = {"test_deploy", "test_deploy_run"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_services_and_namespaces_have_names_of_our_own(path: Path) -> None:
    module = importlib.import_module(f"tests.e2e.{path.stem}")
    names = {key: value for key, value in vars(module).items() if key in ("NAME", "OTHER")}
    if path.stem not in OWN_NAMESPACE:
        assert [value for value in names.values() if not value.startswith(PREFIX)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_service_is_named_by_a_literal(path: Path) -> None:
    """Neither where services to delete are collected nor where kubectl deletes."""
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        words = [
            arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        collects = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "services.append"
        assert not (collects and words), f"line {call.lineno} collects {words}"
        if "delete" in words:
            deleted = [word for word in words[words.index("delete") + 2 :] if not word.startswith("-")]
            # The second one: pods of the dev overlay, which come again by themselves.
            labels = {"phytoflow/test=address", "app.kubernetes.io/name=gateway-worker"}
            assert set(deleted) <= labels, f"line {call.lineno} deletes {deleted}"


def test_the_notebook_publishes_under_a_name_of_our_own() -> None:
    assert kubeflow.notebook_settings()["serving"]["name"].startswith(PREFIX)


def test_own_names_stay_the_same_within_a_run_and_fit_the_limit() -> None:
    assert own_name("leaf") == own_name("leaf") != own_name("rose")
    assert len(own_name("notebook")) <= 40
