"""The description of a run in MLflow: what it trained, how good it is, links to report, curves and bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from phytoflow.tracking.links import RunPages

DESCRIPTION_TAG = "mlflow.note.content"
_PREFIX = "phytoflow."
_SPECIAL = "\\`*[]<>#|"  # characters with a meaning in Markdown


@dataclass(frozen=True)
class RunFacts:
    """What the description says; each fact is kept as a tag, so that later steps can add theirs.

    Attributes:
        trained: What was trained, e.g. a network on a number of photos.
        result: How good it is on test photos.
        gate: The gate's decision.
        published: Where the model was published, or why not.
        output: The run's folder or prefix.
        report: Path of the report among the artifacts.
        bundle: Path of the bundle among the artifacts.
    """

    trained: str = ""
    result: str = ""
    gate: str = ""
    published: str = ""
    output: str = ""
    report: str = ""
    bundle: str = ""

    def tags(self) -> dict[str, str]:
        """The facts as tags."""
        return {f"{_PREFIX}{name}": value for name, value in vars(self).items() if value}


def facts_of(tags: Mapping[str, str]) -> RunFacts:
    """Reads the facts from a run's tags."""
    return RunFacts(**{field.name: tags.get(f"{_PREFIX}{field.name}", "") for field in fields(RunFacts)})


def describe_run(facts: RunFacts, pages: RunPages) -> str:
    """The description as Markdown.

    Args:
        facts: What is known.
        pages: MLflow's pages for the run, for links.
    """
    lines = [
        f"**{_escape(facts.result)}**" if facts.result else "",
        f"Trained: {_escape(facts.trained)}" if facts.trained else "",
        f"Gate: {_escape(facts.gate)}" if facts.gate else "",
        f"Published: {_escape(facts.published)}" if facts.published else "",
        " · ".join(_links(facts, pages)),
        f"Output: `{facts.output}`" if facts.output else "",
    ]
    return "\n\n".join(line for line in lines if line)


def _links(facts: RunFacts, pages: RunPages) -> list[str]:
    links = [f"[Curves]({pages.fragment('model-metrics')})"]
    if facts.report:
        links.append(f"[Report]({pages.fragment(f'artifacts/{facts.report}')})")
    if facts.bundle:
        links.append(f"[Bundle]({pages.fragment(f'artifacts/{facts.bundle}')})")
    return links


def _escape(text: str) -> str:
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text)
