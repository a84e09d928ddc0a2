"""What `phytoflow stack up` was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from phytoflow.stack.layout import Layout
from phytoflow.storage.atomic import atomic_file

Role = Literal["champion", "challenger"]
PREDICTORS: dict[Role, str] = {"champion": "predictor", "challenger": "challenger"}
"""Services of the two models."""
OPTIONAL = ("postgresql", "redis", "mlflow", "alertmanager", "prometheus")
"""Services that run where their programs are installed; without them there are embedded defaults."""


@dataclass(frozen=True)
class Plan:
    """Options of a stack, kept for restarts.

    Attributes:
        bundle: Folder or URI of the bundle.
        host: Address of the gateway; everything else listens on this machine only.
        port: Port of the gateway.
        ports: Ports of the other services by name.
        without: Optional services that are not wanted.
        runs: Folder of a run whose MLflow database is shown; empty: the stack's own.
        challenger: Folder of a bundle that is served besides, for a rollout; empty: none.
    """

    bundle: str
    host: str
    port: int
    ports: dict[str, int]
    without: tuple[str, ...] = ()
    runs: str = ""
    challenger: str = ""

    def write(self, layout: Layout) -> None:
        """Keeps the plan."""
        layout.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_file(layout.plan) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, layout: Layout) -> Plan | None:
        """The plan of the last start; None if there was none."""
        if not layout.plan.exists():
            return None
        fields = json.loads(layout.plan.read_text())
        return cls(**fields | {"without": tuple(fields["without"])})

    def predictor_url(self, role: Role) -> str:
        """Where the gateway reaches a predictor."""
        return f"http://127.0.0.1:{self.ports[PREDICTORS[role]]}"

    @property
    def url(self) -> str:
        """Where people reach the gateway from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def runs_folder(bundle: str) -> str:
    """The run that a bundle belongs to, if the bundle lies in its output folder."""
    folder = Path(bundle).parent
    return str(folder.resolve()) if (folder / "mlflow.db").is_file() else ""
