"""Where a run publishes."""

from __future__ import annotations

from phytoflow.config.settings import Settings
from phytoflow.storage.uri import is_local


def on_cluster(settings: Settings, output: str) -> bool:
    """Whether the run publishes on a cluster, not on this machine."""
    return settings.serving.target == "cluster" or (
        settings.serving.target == "auto" and not is_local(output)
    )
