"""A whole rollout: from a bundle to the champion, or to the reason why not."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.errors import PhytoflowError, RolloutError, ServingError
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import ACTIVE
from phytoflow.tracking.registry import promote, register
from phytoflow.tracking.settings import TrackingSettings

_LOG = logging.getLogger(__name__)
_PROMOTED = ("promoted", "settled")
_FOLLOW_SECONDS = 2.0  # gateway and worker follow a rollout each second
_SETTLE_SECONDS = 120.0  # a former pod of the champion answers on open connections until it has ended


class ModelServers(Protocol):
    """The predictors of champion and challenger, and a bundle that is to be served."""

    def exclusive(self) -> AbstractContextManager[object]:
        """Keeps other rollouts of these predictors out."""

    def serve(self, role: Literal["champion", "challenger"], model_version: str = "") -> str:
        """Serves the bundle and returns the predictor's URL once it answers; the same again changes nothing.

        Args:
            role: Which predictor.
            model_version: The bundle's version in the registry, if it is known.
        """

    def end_challenger(self) -> None:
        """Ends the challenger's predictor; nothing happens without one."""

    def is_of_bundle(self, rollout: dict[str, Any]) -> bool:
        """Whether a rollout of the gateway is one of this bundle that was begun from here."""

    def remember(self, rollout: dict[str, Any]) -> None:
        """Notes that a rollout is one of this bundle."""


@dataclass(frozen=True)
class Renewal:
    """Rolls a bundle out. Killed at any moment, the same call goes on from there.

    Attributes:
        servers: The predictors.
        bundle: Folder of the challenger's bundle.
        output: Holds the registry if ``tracking`` names none.
        client: Calls the gateway as an administrator.
        tracking: The registry whose champion moves.
        settings: Thresholds; None: those of the gateway.
        again: Whether to begin anew if the newest rollout was of this bundle and has ended.
        poll_seconds: Pause between two looks at the rollout.
    """

    servers: ModelServers
    bundle: Path
    output: str
    client: GatewayClient
    tracking: TrackingSettings
    settings: RolloutSettings | None = None
    again: bool = False
    poll_seconds: float = 2.0

    def run(self) -> None:
        """Serves the challenger, waits for the gateway's decision, and carries it out.

        Raises:
            FolderInUseError: Another process does so on this stack.
            RolloutError: The challenger was not promoted. The champion goes on as before.
            ServingError: A predictor or the gateway does not answer, or another rollout is in progress.
            DeployError: The cluster does not serve the bundle, or another process works there.
            TrackingError: The registry cannot be reached.
        """
        with self.servers.exclusive():
            self._run()

    def _run(self) -> None:
        state = self._wait(self._begin())
        if state["stage"] not in _PROMOTED:
            self.servers.end_challenger()
            raise RolloutError(f"the challenger was {state['stage'].replace('_', ' ')}: {state['next']}")
        model_version = register(self.bundle, self.tracking, self.output)
        if state["stage"] == "promoted":
            time.sleep(_FOLLOW_SECONDS)  # then nobody is answered by the former champion any more
            self.servers.serve("champion", model_version)
            self._settle()
        promote(self.tracking, self.output, model_version)
        time.sleep(_FOLLOW_SECONDS)  # then nobody is answered by the challenger's predictor any more
        self.servers.end_challenger()

    def _settle(self) -> None:
        """Gives the users back to the champion, once it answers with the promoted version alone."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            try:
                self._call("POST", "/settle")
                return
            except GatewayError as error:
                if error.reason != "other_version" or time.monotonic() > deadline:
                    raise
            time.sleep(self.poll_seconds)

    def _begin(self) -> str:
        """Id of the rollout of this bundle: the one that an earlier call began, or a new one."""
        current = self._current()
        active = current is not None and current["stage"] in ACTIVE
        if current is None or not self.servers.is_of_bundle(current) or (self.again and not active):
            if active:
                raise ServingError("another rollout is in progress", remedy="wait for its end, or abort it")
            current = self._start()
        self.servers.remember(current)
        return str(current["id"])

    def _start(self) -> dict[str, Any]:
        try:
            body: dict[str, Any] = {"challenger": self.servers.serve("challenger")}
        except PhytoflowError:
            self.servers.end_challenger()
            raise
        if self.settings:
            body["settings"] = self.settings.model_dump(mode="json")
        started = dict(self.client.request("POST", "/v1/rollouts", body))
        _LOG.info("the rollout of %s has begun", body["challenger"])
        return started

    def _wait(self, rollout_id: str) -> dict[str, Any]:
        """The rollout once it has ended; says what it waits for whenever that changes."""
        said = ""
        while True:
            try:
                state = self._call("GET")
            except ServingError as error:
                if isinstance(error, GatewayError) and error.status < 500:
                    raise
                # The gateway or its database is started again.
                _LOG.warning("%s", error.message)
                time.sleep(self.poll_seconds)
                continue
            if state["id"] != rollout_id:
                raise RolloutError("another rollout was begun meanwhile", remedy="phytoflow rollout status")
            if state["stage"] not in ACTIVE:
                return state
            if (text := f"{state['stage']} {state['percent']}%: {state['next']}") != said:
                _LOG.info("%s", text)
                said = text
            time.sleep(self.poll_seconds)

    def _current(self) -> dict[str, Any] | None:
        try:
            return self._call("GET")
        except GatewayError as error:
            if error.status == 404:
                return None
            raise

    def _call(self, method: str, path: str = "") -> dict[str, Any]:
        return dict(self.client.request(method, f"/v1/rollouts/current{path}"))
