"""The finish step: how a run ended, and where its report is."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from phytoflow.provenance import now
from phytoflow.storage.uri import exists, join, put_file

_LOG = logging.getLogger(__name__)


def finish(state: str, error: str, output: str) -> None:
    """Says how the run ended and where its report is, in the log and as ``output``/outcome.json."""
    import tempfile

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
