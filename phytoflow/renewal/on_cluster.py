"""Champion and challenger as InferenceServices of a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.lease import exclusive_publisher
from phytoflow.deploy.kubernetes.publisher import check_name, deploy
from phytoflow.deploy.kubernetes.readiness import wait_until_replaced
from phytoflow.deploy.kubernetes.release import release_of
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings

_PATIENCE_SECONDS = 60.0  # the Lease of a command that was killed expires in 15 s
_VERSION_DIGITS = 8


@dataclass(frozen=True)
class ClusterServers:
    """Two InferenceServices; see ``ModelServers``.

    The challenger's is named after its bundle, so the gateway's rollout, which has its URL, says which bundle
    it is of. A command that was killed thus goes on in any pod, and leaves nothing on a disk.

    Attributes:
        cluster: Where the services are.
        name: Name of the champion's InferenceService.
        bundle: A local copy of the challenger's bundle.
        uri: Where the cluster reads it.
        settings: Sizes, placement, autoscaling and timeouts of both services.
    """

    cluster: Cluster
    name: str
    bundle: Bundle
    uri: str
    settings: DeploySettings

    @property
    def challenger(self) -> str:
        """Name of the challenger's InferenceService."""
        return f"{self.name}-{self.bundle.manifest.version[:_VERSION_DIGITS]}"

    def exclusive(self) -> AbstractContextManager[object]:
        """Holds a Lease; raises ConfigError first if the challenger's name is too long."""
        check_name(self.challenger)
        return exclusive_publisher(self.cluster, f"{self.name}-rollout", _PATIENCE_SECONDS)

    def serve(self, role: Literal["champion", "challenger"], model_version: str = "") -> str:
        """Publishes the bundle as ``phytoflow deploy`` does, and waits for the end of former pods."""
        name = self.name if role == "champion" else self.challenger
        release = release_of(self.bundle, self.uri, model_version=model_version)
        smoke_test = SmokeTest.from_probes(self.bundle, self.settings.extra_args)
        # The gateway splits by user, and the promoted bundle replaces the champion's.
        settings = self.settings.model_copy(update={"canary_percent": 0})
        published = deploy(self.cluster, name, release, smoke_test, settings)
        wait_until_replaced(self.cluster, name, published.revision)
        return self._url(name)

    def end_challenger(self) -> None:
        """Deletes the challenger's InferenceService; its pods answer the requests that they have."""
        self.cluster.delete(INFERENCE_SERVICES, self.challenger)

    def is_of_bundle(self, rollout: dict[str, Any]) -> bool:
        """By the challenger's URL."""
        return bool(rollout["challenger"] == self._url(self.challenger))

    def remember(self, rollout: dict[str, Any]) -> None:
        """Nothing is to be noted: the gateway has the challenger's URL."""

    def _url(self, name: str) -> str:
        return f"http://{name}-predictor.{self.cluster.namespace}/v2/models/{name}"
