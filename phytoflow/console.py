"""What every command of the project does around its work: log plainly, and end in words."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from rich.console import Console

from phytoflow.errors import PhytoflowError
from phytoflow.protocol.proxies import exempt_direct_hosts
from phytoflow.storage.disk_errors import storage_error


def run_command(app: Callable[[], object]) -> None:
    """Runs a command; an error a user is meant to read is shown without a traceback, with its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[_StderrHandler()])
    logging.getLogger("phytoflow").setLevel(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may be no UTF-8
    exempt_direct_hosts()
    try:
        app()
    except PhytoflowError as error:
        _end(error)
    except OSError as error:
        if (explained := storage_error(error, Path(error.filename or "."))) is None:
            raise
        _end(explained)
    except KeyboardInterrupt:
        sys.exit(130)


def _end(error: PhytoflowError) -> NoReturn:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"Error: {error.message}", style="bold red", markup=False)
    if error.remedy:
        console.print(f"What to do: {error.remedy}", markup=False)
    sys.exit(error.exit_code)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment: while a bar is shown, rich has put itself there."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr
