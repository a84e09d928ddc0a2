"""What a dashboard is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["reqps", "percentunit", "s", "bytes", "short"]
"""Units by Grafana's names: requests a second, share of 1, seconds, bytes, plain number."""
NAMESPACE = 'namespace=~"$namespace"'
"""Matcher that every selector carries; a stack on one machine has no namespaces, and ``.*`` matches that."""
_METRIC = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{")


@dataclass(frozen=True)
class Query:
    """One PromQL expression.

    Attributes:
        expression: PromQL with the variables ``$namespace`` and ``$__rate_interval``.
        legend: Name of its series; ``{{label}}`` stands for the value of a label.
    """

    expression: str
    legend: str

    @property
    def metrics(self) -> set[str]:
        """Names of the metrics that the expression selects."""
        return set(_METRIC.findall(self.expression))

    def substitute(self, variables: Mapping[str, str]) -> str:
        """The expression with the values of its variables, as Prometheus takes it."""
        text = self.expression
        for name, value in variables.items():
            text = text.replace(f"${name}", value)
        return text


@dataclass(frozen=True)
class Panel:
    """A chart.

    Attributes:
        title: What it shows, in a few words.
        description: How to read it, and what to do about it.
        unit: Unit of all its values.
        queries: Its series.
        no_data: Text shown without data: why there may be none.
        maximum: Top of the axis; None: as the data demand.
    """

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    no_data: str
    maximum: float | None = None


@dataclass(frozen=True)
class Dashboard:
    """A page of panels.

    Attributes:
        uid: Stable name, part of the URL in Grafana.
        title: Its name for people.
        description: What it is for.
        panels: Its charts, in reading order.
    """

    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]


def rate(metric: str, *, by: str = "", where: str = "") -> str:
    """Sum of the per-second rates of a counter.

    Args:
        metric: The counter.
        by: Labels that stay, separated by commas; empty: none.
        where: Further matchers.
    """
    matchers = f"{NAMESPACE}, {where}" if where else NAMESPACE
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{{{matchers}}}[$__rate_interval]))"


def quantiles(metric: str) -> tuple[Query, ...]:
    """Median, 95th and 99th percentile of a histogram."""
    buckets = rate(f"{metric}_bucket", by="le")
    return tuple(Query(f"histogram_quantile({q}, {buckets})", f"p{100 * q:.0f}") for q in (0.5, 0.95, 0.99))


def mean(metric: str) -> str:
    """Mean of a histogram's observations."""
    return f"{rate(f'{metric}_sum')} / {rate(f'{metric}_count')}"
