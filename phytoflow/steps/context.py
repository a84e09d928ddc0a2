"""What every pipeline step does around its one call: it logs plainly and records why it failed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from phytoflow.errors import PhytoflowError
from phytoflow.protocol.proxies import exempt_direct_hosts
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.disk_errors import storage_error
from phytoflow.system.lifeline import TerminatedError, hold_lifeline, leave

FAILURE_VARIABLE = "PHYTOFLOW_FAILURE_FILE"
WORK_VARIABLE = "PHYTOFLOW_WORK_FOLDER"
"""Names a folder for unfinished work, which a step that is run again finds there."""
_TERMINATION_LOG = Path("/dev/termination-log")
_TERMINATION_CHARACTERS = 4000
"""Kubernetes keeps 4096 bytes."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Runs the body of a step.

    Log lines read ``[name] message``. A PhytoflowError is written to the file that
    ``PHYTOFLOW_FAILURE_FILE`` names and to Kubernetes' termination message, and the process ends with the
    error's exit code. SIGTERM and the end of the run that started the step end it in order.

    Args:
        name: Name of the step.
    """
    hold_lifeline()
    logging.basicConfig(level=logging.WARNING, format=f"[{name}] %(message)s", stream=sys.stdout, force=True)
    logging.getLogger("phytoflow").setLevel(logging.INFO)
    warnings.simplefilter("ignore")
    exempt_direct_hosts()  # MLflow on this machine or in the cluster is not asked through a proxy
    try:
        yield
    except PhytoflowError as error:
        _fail(name, error)
    except OSError as error:
        if (explained := storage_error(error, Path(error.filename or _outputs()))) is None:
            raise
        _fail(name, explained)
    except TerminatedError:
        leave()


def _outputs() -> Path:
    """Where a step writes: what a write that failed half-way does not say itself."""
    file = os.environ.get(FAILURE_VARIABLE)  # in the run's folder; a step on a cluster has none
    return Path(file).parent if file else Path.cwd()


def _fail(name: str, error: PhytoflowError) -> NoReturn:
    logging.getLogger("phytoflow").error("failed: %s", error)
    with contextlib.suppress(PhytoflowError, OSError):  # the disk may be full: the exit code still says so
        _write_failure(name, error)
    sys.exit(error.exit_code)


def _write_failure(name: str, error: PhytoflowError) -> None:
    if os.access(_TERMINATION_LOG, os.W_OK):
        _TERMINATION_LOG.write_text(str(error)[:_TERMINATION_CHARACTERS])
    if file := os.environ.get(FAILURE_VARIABLE):
        facts = {"step": name, "message": error.message, "remedy": error.remedy, "exit_code": error.exit_code}
        with atomic_file(Path(file)) as aside:
            aside.write_text(json.dumps(facts))
