"""What Prometheus evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RUNBOOKS = "docs/how-to/runbooks.md"
"""The page with a section for each alert. A path, because every installation publishes the docs elsewhere."""
Severity = Literal["critical", "warning", "info"]
"""Somebody is called; somebody looks today; somebody looks this week."""


@dataclass(frozen=True)
class Record:
    """A series that Prometheus computes.

    Attributes:
        name: ``level:metric:operations``, as Prometheus' naming practice has it.
        expression: PromQL.
    """

    name: str
    expression: str


@dataclass(frozen=True)
class Alert:
    """A condition that somebody must hear of.

    Attributes:
        name: Starts with ``Phytoflow``; its section in the runbooks has the same name.
        expression: PromQL; each series it returns is an alert.
        hold: How long the condition must last, e.g. ``1m``; ``0s``: not at all.
        severity: How urgent it is.
        summary: What is wrong, as a template of Prometheus.
        description: What to do first.
    """

    name: str
    expression: str
    hold: str
    severity: Severity
    summary: str
    description: str

    @property
    def runbook(self) -> str:
        """Where the runbooks describe it."""
        return f"{RUNBOOKS}#{self.name.lower()}"


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Record | Alert, ...]
