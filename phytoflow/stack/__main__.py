"""``python -m phytoflow.stack DIRECTORY``: the supervisor's process, started by `phytoflow stack up`."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from phytoflow.stack.service import Service
from phytoflow.stack.supervisor import Supervisor
from phytoflow.stack.table import build_services


def main() -> None:
    """Supervises the stack of a folder; only one process does so at a time."""
    layout = Layout(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def build() -> Sequence[Service]:
        plan = Plan.read(layout)
        assert plan is not None, "phytoflow stack up writes the plan first"
        return build_services(layout, plan)

    Supervisor(layout, build(), build).run()


if __name__ == "__main__":
    main()
