"""What every pipeline step does around its one call: log plainly, and say in words why it failed."""

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
_TERMINATION_LOG = Path("/dev/termination-log")
_TERMINATION_CHARACTERS = 4000
"""Kubernetes keeps 4096 bytes."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Runs a step's body.

    Log lines come out as ``[name] message``. A PhytoflowError is written where the caller asked for it
    (the file named by ``PHYTOFLOW_FAILURE_FILE``) and to Kubernetes' termination message; the process
    then ends with the error's own exit code. SIGTERM, and the end of the run that started the step, end it
    in order.
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
        if (explained := storage_error(error, Path(error.filename or "."))) is None:
            raise
        _fail(name, explained)
    except TerminatedError:
        leave()


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
