"""The outcome of a run in the report: the gate's verdict, where the model was published, how to query it.

The report is written before the gate judges. Later steps keep what they decided in ``release.json`` and
insert it into a marked place of the page.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.errors import DataError
from phytoflow.evaluation.gate.conditions import Verdict
from phytoflow.evaluation.report.html import format_time
from phytoflow.html.page import render_page

OUTCOME_FILE = "release.json"
_TEMPLATE = Path(__file__).with_name("outcome.html")
_PLACE = re.compile(r"<!-- outcome -->.*?<!-- /outcome -->", re.DOTALL)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class TrackedRun(_Part):
    """Where MLflow shows the run.

    Attributes:
        name: Name of the run.
        url: Page of its curves. With a local store it is the page of a server started by ``command``.
        command: Shell command that starts MLflow's pages for a local store; empty for an MLflow server.
    """

    name: str
    url: str
    command: str = ""


class Publication(_Part):
    """Whether and where the model was published.

    Attributes:
        published: Whether a predictor answers with this model.
        url: Address of the predictor; empty if there is none.
        model_name: Name of the model in requests.
        where: ``this machine`` or ``the cluster``.
        reason: Why it was not published; empty if it was.
        time: When, UTC.
    """

    published: bool
    url: str = ""
    model_name: str = ""
    where: str = ""
    reason: str = ""
    time: str = ""


class RunOutcome(_Part):
    """``release.json``: everything that was decided about a model after its evaluation.

    Attributes:
        output: The run's folder or prefix.
        verdict: The gate's decision.
        registered_model: Name in the model registry; empty before it is registered.
        model_version: Version in the model registry.
        publication: Whether and where it was published; None before the publish step.
        tracked_run: Where MLflow shows the run.
    """

    output: str
    verdict: Verdict
    registered_model: str = ""
    model_version: str = ""
    publication: Publication | None = None
    tracked_run: TrackedRun | None = None

    @classmethod
    def from_json(cls, text: str | bytes) -> RunOutcome:
        """Reads ``release.json``; raises DataError if it is damaged."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DataError(
                f"{OUTCOME_FILE} is damaged: {error}", remedy="run the same command again"
            ) from error


def insert_outcome(page: str, outcome: RunOutcome, *, data_page: bool = False) -> str:
    """The report with the outcome in its place; a page without that place stays as it is.

    Args:
        page: The report, with or without an earlier outcome.
        outcome: What is shown.
        data_page: Whether ``data.html`` is in the same folder as the page, so that it can be linked.
    """
    section = render_page(
        _TEMPLATE,
        outcome=outcome,
        verdict=outcome.verdict,
        publication=outcome.publication,
        data_page=data_page,
        time=format_time(outcome.publication.time) if outcome.publication else "",
        serve=f"phytoflow serve --bundle {shlex.quote(f'{outcome.output}/bundle')}",
    )
    return _PLACE.sub(lambda _: f"<!-- outcome -->\n{section}\n<!-- /outcome -->", page, count=1)
