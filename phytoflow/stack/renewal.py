"""A whole rollout on a stack: from a bundle to the champion, or to the reason why not."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phytoflow.bundle.bundle import Bundle
from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.errors import RolloutError, ServingError
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import ACTIVE
from phytoflow.stack.layout import Layout
from phytoflow.stack.models import end_challenger, read_plan, serve
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.tracking.registry import promote, register
from phytoflow.tracking.settings import TrackingSettings

_LOG = logging.getLogger(__name__)
_PROMOTED = ("promoted", "settled")
_FOLLOW_SECONDS = 2.0  # gateway and worker follow a rollout each second


@dataclass(frozen=True)
class Renewal:
    """Rolls a bundle out on a stack. Killed at any moment, the same call goes on from there.

    Attributes:
        layout: The stack's folder.
        bundle: Folder of the challenger's bundle, in the output folder of its run.
        client: Calls the gateway as an administrator.
        tracking: The registry whose champion moves.
        settings: Thresholds; None: those of the gateway.
        again: Whether to begin anew if the newest rollout was of this bundle and has ended.
        poll_seconds: Pause between two looks at the rollout.
    """

    layout: Layout
    bundle: Path
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
            TrackingError: The registry cannot be reached.
        """
        with exclusive_folder(self.layout.directory / "rollout"):
            self._run()

    def _run(self) -> None:
        state = self._wait(self._begin())
        if state["stage"] not in _PROMOTED:
            end_challenger(self.layout)
            raise RolloutError(f"the challenger was {state['stage'].replace('_', ' ')}: {state['next']}")
        if state["stage"] == "promoted":
            time.sleep(_FOLLOW_SECONDS)  # then nobody is answered by the former champion any more
            serve(self.layout, "champion", self.bundle)
            self._call("POST", "/settle")
        output = self.bundle.resolve().parent
        promote(self.tracking, output, register(self.bundle, self.tracking, output))
        time.sleep(_FOLLOW_SECONDS)  # then nobody is answered by the challenger's process any more
        end_challenger(self.layout)

    def _begin(self) -> str:
        """Id of the rollout of this bundle: the one that an earlier call began, or a new one."""
        version, current = Bundle.load(self.bundle).manifest.version, self._current()
        active = current is not None and current["stage"] in ACTIVE
        same = current is not None and self._remembered() == {"id": current["id"], "version": version}
        if current and same and (active or not self.again):
            return str(current["id"])
        if active and read_plan(self.layout).challenger != str(self.bundle.resolve()):
            raise ServingError("another rollout is in progress", remedy="wait for its end, or abort it")
        try:
            url = serve(self.layout, "challenger", self.bundle)
        except ServingError:
            if not active:
                end_challenger(self.layout)
            raise
        if current is None or not active:
            current = self._start(url)
        with atomic_file(self._memory) as temporary:
            temporary.write_text(json.dumps({"id": current["id"], "version": version}))
        return str(current["id"])

    def _start(self, url: str) -> dict[str, Any]:
        body: dict[str, Any] = {"challenger": url}
        if self.settings:
            body["settings"] = self.settings.model_dump(mode="json")
        started = dict(self.client.request("POST", "/v1/rollouts", body))
        _LOG.info("the rollout of %s has begun", self.bundle)
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

    @property
    def _memory(self) -> Path:
        """Names the rollout that was begun last, and its challenger."""
        return self.layout.directory / "rollout" / "newest.json"

    def _remembered(self) -> Any:
        try:
            return json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return None
