"""What a training needs of a tracker; ``phytoflow.tracking.tracker.Tracker`` is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Tracker(Protocol):
    """Records parameters, metrics, files and figures of a training.

    Attributes:
        run_id: Identifies the run; later steps add to it.
    """

    run_id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters."""

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Records the metrics of one step."""

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Stores a file."""

    def log_figure(self, figure: Figure, name: str) -> None:
        """Stores a figure as a picture."""


class SilentTracker:
    """Records nothing: for all processes of a group but the first.

    Attributes:
        run_id: Empty.
    """

    run_id = ""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """See Tracker."""

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """See Tracker."""

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """See Tracker."""

    def log_figure(self, figure: Figure, name: str) -> None:
        """See Tracker."""
