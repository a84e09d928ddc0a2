"""Where a run publishes."""

from __future__ import annotations

from phytoflow.deploy.settings import ServingSettings
from phytoflow.storage.uri import is_local


def on_cluster(settings: ServingSettings, output: str) -> bool:
    """Whether the run publishes on a cluster, not on this machine."""
    return settings.target == "cluster" or (settings.target == "auto" and not is_local(output))
