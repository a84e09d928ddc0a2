"""Runs for tests that compare some."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from phytoflow.tracking.runs import RunRecord


def run_record(
    name: str,
    metrics: Mapping[str, float] | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    curves: Mapping[str, list[tuple[int, float]]] | None = None,
    seconds: float | None = 60.0,
) -> RunRecord:
    """A finished run."""
    return RunRecord(
        id=f"{name}-id-of-the-run",
        name=name,
        status="FINISHED",
        started=datetime(2026, 11, 1, tzinfo=UTC),
        seconds=seconds,
        parameters=dict(parameters or {}),
        metrics=dict(metrics or {}),
        curves=dict(curves or {}),
    )
