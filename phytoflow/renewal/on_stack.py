"""Champion and challenger of a stack on this machine."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from phytoflow.bundle.bundle import Bundle
from phytoflow.rollout.stages import ACTIVE
from phytoflow.stack.layout import Layout
from phytoflow.stack.models import end_challenger, read_plan, serve
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.folder_lock import exclusive_folder


@dataclass(frozen=True)
class StackServers:
    """The two predictors of a stack; see ``ModelServers``.

    Attributes:
        layout: The stack's folder.
        bundle: Folder of the challenger's bundle.
    """

    layout: Layout
    bundle: Path

    def exclusive(self) -> AbstractContextManager[object]:
        """Keeps other rollouts of this stack out."""
        return exclusive_folder(self.layout.directory / "rollout")

    def serve(self, role: Literal["champion", "challenger"], model_version: str = "") -> str:
        """Serves the bundle; a stack does not say which version of the registry it has."""
        return serve(self.layout, role, self.bundle)

    def end_challenger(self) -> None:
        """Ends the challenger's process."""
        end_challenger(self.layout)

    def is_of_bundle(self, rollout: dict[str, Any]) -> bool:
        """By the note that was left, or, after a kill before it was written, by what the stack serves."""
        if self._read_note() == self._note(rollout):
            return True
        return rollout["stage"] in ACTIVE and read_plan(self.layout).challenger == str(self.bundle.resolve())

    def remember(self, rollout: dict[str, Any]) -> None:
        """Leaves a note: a stack's challenger always has the same URL."""
        with atomic_file(self._file) as temporary:
            temporary.write_text(json.dumps(self._note(rollout)))

    def _note(self, rollout: dict[str, Any]) -> dict[str, str]:
        return {"id": str(rollout["id"]), "version": Bundle.load(self.bundle).manifest.version}

    def _read_note(self) -> Any:
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None

    @property
    def _file(self) -> Path:
        return self.layout.directory / "rollout" / "newest.json"
