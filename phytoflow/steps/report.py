"""Keeps a run's outcome and shows it in the report: at the output, in the bundle and in MLflow.

The gate, register and publish steps each add what they decided.
"""

from __future__ import annotations

import logging
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.evaluation.outcome import (
    OUTCOME_FILE,
    Publication,
    RunOutcome,
    TrackedRun,
    insert_outcome,
)
from phytoflow.evaluation.report.html import REPORT_FILE
from phytoflow.storage.temporary import temporary_folder
from phytoflow.storage.uri import join, put_file, read_bytes
from phytoflow.tracking.evaluation_run import bundle_run, log_report
from phytoflow.tracking.settings import TrackingSettings

_LOG = logging.getLogger(__name__)


def deliver_outcome(
    outcome: RunOutcome, report: bytes, bundle: Path, tracking: TrackingSettings, output: str
) -> None:
    """Writes ``release.json`` and ``report.html`` to the output, and the report to MLflow.

    Args:
        outcome: What was decided so far.
        report: The page, with or without an earlier outcome.
        bundle: Folder of the bundle, which names its MLflow run.
        tracking: Where runs are recorded.
        output: The run's folder or prefix.

    Raises:
        StorageError: The output cannot be written.
        TrackingError: MLflow cannot be reached, or refuses.
    """
    page = insert_outcome(report.decode(), outcome, data_page=True)
    with temporary_folder() as work:
        _write(work / OUTCOME_FILE, outcome.model_dump_json(indent=2) + "\n", output)
        file = _write(work / REPORT_FILE, page, output)
        log_report(tracking, output, bundle, file, _facts(outcome))


def read_outcome(output: str) -> RunOutcome:
    """Reads ``release.json``, which the gate step wrote.

    Raises:
        StorageError: It does not exist.
        DataError: It is damaged.
    """
    return RunOutcome.from_json(read_bytes(join(output, OUTCOME_FILE)))


def add_publication(publication: Publication, bundle: Path, tracking: TrackingSettings, output: str) -> None:
    """Adds the publication to the outcome and to the report; see ``deliver_outcome``.

    The predictor answers whether or not a page can be written, so that a failure is logged and not raised.
    """
    try:
        outcome = read_outcome(output).model_copy(update={"publication": publication})
        deliver_outcome(outcome, read_bytes(join(output, REPORT_FILE)), bundle, tracking, output)
    except PhytoflowError as error:
        _LOG.warning("the report does not show the publication: %s", error)


def tracked_run(tracking: TrackingSettings, output: str, bundle: Path) -> TrackedRun:
    """Where MLflow shows the run that trained a bundle; raises TrackingError."""
    with bundle_run(tracking, output, bundle) as tracker:
        pages = tracker.pages
        return TrackedRun(name=tracker.name, url=pages.curves, command=pages.command)


def _write(file: Path, text: str, output: str) -> Path:
    file.write_text(text, encoding="utf-8")
    put_file(file, join(output, file.name))
    return file


def _facts(outcome: RunOutcome) -> dict[str, str]:
    """What the run's description in MLflow says; see ``phytoflow.tracking.description``."""
    facts = {"gate": "passed" if outcome.verdict.passed else f"failed: {outcome.verdict.reason}"}
    if outcome.model_version:
        facts["bundle"] = "bundle"
    if (publication := outcome.publication) is not None:
        facts["published"] = publication.url if publication.published else f"no: {publication.reason}"
    return facts
