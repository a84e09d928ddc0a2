"""The finish step: records how a run ended, and where its report is."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

from phytoflow.provenance import now
from phytoflow.storage.uri import exists, join, put_file

_LOG = logging.getLogger(__name__)
_SUCCEEDED = "SUCCEEDED"
# The words of the backend (kfp 2.17) for what the local runner calls SUCCEEDED.
_WORDS = {"COMPLETE": _SUCCEEDED, "CACHED": _SUCCEEDED}


def finish(state: str, error: str, output: str) -> None:
    """Logs how a run ended and where its report is, and writes the same to ``output``/outcome.json.

    Args:
        state: KFP's word for the end, e.g. ``SUCCEEDED``; the backend's word is replaced by it.
        error: Why it failed; empty if it did not.
        output: The run's folder or prefix.
    """
    state = _WORDS.get(state, state)
    report, bundle = join(output, "report.html"), join(output, "bundle")
    outcome = {
        "state": state,
        "error": error,
        "report": report if exists(report) else "",
        "bundle": bundle if exists(bundle) else "",
        "ended": now(),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcome.json"
        file.write_text(json.dumps(outcome, indent=2))
        put_file(file, join(output, "outcome.json"))
    _LOG.info("the run %s; report: %s", state.lower(), outcome["report"] or "none was made")
