"""Errors are counted by a documented reason and the class of their status."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from serving.predictor.errors import (
    NOT_LOADED,
    RequestError,
    client_disconnected,
    internal,
    malformed,
    overloaded,
    too_large,
)
from serving.predictor.observability.metrics import count_error

ROOT = Path(__file__).resolve().parents[4]
PHOTO_STATUS = 422  # of every photo that cannot be used; 413 for those over a limit


def count(reason: str, code: str) -> float:
    return REGISTRY.get_sample_value("prediction_errors_total", {"reason": reason, "code": code}) or 0.0


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (malformed("x"), "malformed", "4xx"),
        (too_large("x"), "too_large", "4xx"),
        (RequestError(422, "not_an_image", "x"), "not_an_image", "4xx"),
        (client_disconnected(), "client_disconnected", "4xx"),
        (overloaded("x"), "overloaded", "5xx"),
        (internal(), "internal", "5xx"),
    ],
)
def test_an_error_is_counted_as_the_clients_or_the_predictors(
    error: RequestError, reason: str, code: str
) -> None:
    before = count(reason, code)
    count_error(error)
    assert count(reason, code) == before + 1


def test_failures_are_exported_before_the_first_one() -> None:
    """``rate()`` misses the first failure of a counter that appears with it."""
    for reason in ("internal", "overloaded"):
        assert (
            REGISTRY.get_sample_value("prediction_errors_total", {"reason": reason, "code": "5xx"})
            is not None
        )

    for outcome in ("loaded", "rejected", "unloaded"):
        assert REGISTRY.get_sample_value("model_version_changes_total", {"outcome": outcome}) is not None


def test_every_reason_is_documented_under_its_code() -> None:
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(4xx|5xx)` \| (.+) \|$", text, re.MULTILINE)
    documented = {code: set(re.findall(r"`([a-z_]+)`", reasons)) for code, reasons in rows}
    raised = {"4xx": set[str](), "5xx": set[str]()}
    for status, reason in _reasons():
        raised[f"{status // 100}xx"].add(reason)
    assert documented == raised


def _reasons() -> Iterator[tuple[int, str]]:
    """Status and reason of every error that the code can raise."""
    for path in (ROOT / "serving" / "predictor").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "RequestError":
                status, reason = call.args[:2]
                if isinstance(status, ast.Constant) and isinstance(reason, ast.Constant | ast.Name):
                    yield status.value, reason.value if isinstance(reason, ast.Constant) else NOT_LOADED
    for path in (ROOT / "phytoflow" / "data" / "images").glob("*.py"):
        for reason in [*re.findall(r'reason="([^"]+)"', path.read_text()), "truncated"]:
            yield PHOTO_STATUS, reason
