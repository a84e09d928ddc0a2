"""What every pipeline step does around its one call: log plainly, and say in words why it failed."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.protocol.proxies import exempt_direct_hosts
from phytoflow.storage.atomic import atomic_file

FAILURE_VARIABLE = "PHYTOFLOW_FAILURE_FILE"
_TERMINATION_LOG = Path("/dev/termination-log")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Runs a step's body.

    Log lines come out as ``[name] message``. A PhytoflowError is written where the caller asked for it
    (the file named by ``PHYTOFLOW_FAILURE_FILE``) and to Kubernetes' termination message; the process
    then ends with the error's own exit code.
    """
    logging.basicConfig(level=logging.WARNING, format=f"[{name}] %(message)s", stream=sys.stdout, force=True)
    logging.getLogger("phytoflow").setLevel(logging.INFO)
    warnings.simplefilter("ignore")
    exempt_direct_hosts()  # MLflow on this machine or in the cluster is not asked through a proxy
    try:
        yield
    except PhytoflowError as error:
        logging.getLogger("phytoflow").error("failed: %s", error)
        _leave_word(name, error)
        sys.exit(error.exit_code)


def _leave_word(name: str, error: PhytoflowError) -> None:
    if file := os.environ.get(FAILURE_VARIABLE):
        word = {"step": name, "message": error.message, "remedy": error.remedy, "exit_code": error.exit_code}
        with atomic_file(Path(file)) as aside:
            aside.write_text(json.dumps(word))
    if os.access(_TERMINATION_LOG, os.W_OK):
        _TERMINATION_LOG.write_text(str(error)[:4000])
