"""A tracker for benchmarks, which records nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class NullTracker:
    """A tracker that records nothing."""

    run_id = ""

    def log_params(self, params: Any) -> None: ...
    def log_metrics(self, metrics: Any, *, step: int = 0) -> None: ...
    def log_artifact(self, path: Path, folder: str = "") -> None: ...
    def log_figure(self, figure: Any, name: str) -> None: ...
