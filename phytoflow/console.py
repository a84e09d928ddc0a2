"""What every command of the project does around its work: log plainly, and end in words."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable

from rich.console import Console

from phytoflow.errors import PhytoflowError
from phytoflow.protocol.proxies import exempt_direct_hosts


def run_command(app: Callable[[], object]) -> None:
    """Runs a command; an error a user is meant to read is shown without a traceback, with its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("phytoflow").setLevel(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)
    exempt_direct_hosts()
    try:
        app()
    except PhytoflowError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"Error: {error.message}", style="bold red", markup=False)
        if error.remedy:
            console.print(f"What to do: {error.remedy}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
