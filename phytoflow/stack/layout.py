"""Where the stack keeps things, and its generated secrets."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from phytoflow.storage.atomic import atomic_file

DEFAULT_DIRECTORY = Path("stack")


@dataclass(frozen=True)
class Layout:
    """The folder of a stack. It is the gateway's folder, too: `phytoflow gateway token` finds its keys.

    Attributes:
        directory: The folder, as an absolute path.
    """

    directory: Path

    @property
    def state(self) -> Path:
        """What runs: written by the supervisor."""
        return self.directory / "stack.json"

    @property
    def plan(self) -> Path:
        """What was asked for: read by the supervisor."""
        return self.directory / "plan.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor."""
        return self.directory / "stack.lock"

    @property
    def gateway_settings(self) -> Path:
        """The gateway's settings, generated at each start."""
        return self.directory / "gateway.yaml"

    def bundle(self, role: str) -> Path:
        """A link to the local bundle of a role, which the gateway reads: it follows a promotion."""
        return self.directory / f"{role}-bundle"

    def log(self, service: str) -> Path:
        """The log of a service."""
        return self.directory / "logs" / f"{service}.log"

    def secret(self, name: str) -> str:
        """A generated secret: the same at every start, readable for its owner only."""
        path = self.directory / "secrets" / f"{name}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with atomic_file(path) as temporary:
                temporary.touch(mode=0o600)
                temporary.write_text(json.dumps(secrets.token_urlsafe(24)))
        return str(json.loads(path.read_text()))

    def write_private(self, name: str, text: str) -> Path:
        """Writes a file that may hold a secret, readable for its owner only."""
        path = self.directory / name
        with atomic_file(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(text)
        return path
