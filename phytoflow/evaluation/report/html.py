"""``report.html``: one page that opens without a network, on a phone, on paper and in the dark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from markupsafe import Markup

from phytoflow.bundle.bundle import Bundle
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.report.confusion import confused_pairs, confusion_rows
from phytoflow.evaluation.report.examples import ReportExamples
from phytoflow.evaluation.report.phrases import (
    between,
    describe_external,
    describe_int8,
    describe_leakage,
    describe_robustness,
    describe_selective,
    percent,
)
from phytoflow.evaluation.report.remarks import headline, remarks, weakest_class
from phytoflow.evaluation.report.scope import out_of_scope_uses
from phytoflow.evaluation.results import Metrics
from phytoflow.html.page import render_page

REPORT_FILE = "report.html"
_TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class ReportCharts:
    """The charts of the page, as inline SVG.

    Attributes:
        reliability: Reliability diagram.
        risk: Risk-coverage curve; None without a mistake.
        curves: Training curves; empty if training is not at hand.
    """

    reliability: Markup
    risk: Markup | None
    curves: list[Markup]


@dataclass(frozen=True)
class Tile:
    """A number on the first screen; shares in 0..1."""

    title: str
    value: float
    interval: Interval
    meaning: str


def render_report(metrics: Metrics, bundle: Bundle, charts: ReportCharts, examples: ReportExamples) -> str:
    """Renders the page.

    Args:
        metrics: The metrics.
        bundle: The bundle that was evaluated, for its provenance.
        charts: The charts.
        examples: The photos to show.
    """
    return render_page(
        _TEMPLATE,
        metrics=metrics,
        manifest=bundle.manifest,
        charts=charts,
        examples=examples,
        texts=_texts(metrics, bundle),
        headline=headline(metrics),
        remarks=remarks(metrics),
        out_of_scope=out_of_scope_uses(metrics),
        tiles=_tiles(metrics),
        rows=sorted(metrics.per_class.items(), key=lambda item: (item[1].support == 0, item[1].f1)),
        confusion=confusion_rows(metrics),
        pairs=confused_pairs(metrics, examples.confusions),
        trained_on=len(bundle.training_photos()),
        created=format_time(bundle.manifest.provenance.created),
        settings=_format_settings(bundle),
        percent=percent,
        between=between,
    )


def _texts(metrics: Metrics, bundle: Bundle) -> dict[str, str]:
    """The paragraph of each section that has something to report."""
    return {
        "selective": describe_selective(metrics.selective) if metrics.selective else "",
        "robustness": describe_robustness(metrics.robustness) if metrics.robustness else "",
        "external": describe_external(metrics.external) if metrics.external else "",
        "int8": describe_int8(bundle.manifest.int8) if bundle.manifest.int8 else "",
        "leakage": describe_leakage(metrics.leaks) if metrics.leaks else "",
    }


def _tiles(metrics: Metrics) -> list[Tile]:
    name, weakest = weakest_class(metrics)
    assert weakest.f1_interval is not None  # it has test photos
    accuracy, macro_f1 = metrics.intervals["accuracy"], metrics.intervals["macro_f1"]
    meaning = "mean over the classes of F1, which counts missed and wrongly claimed photos alike"
    return [
        Tile("Accuracy", metrics.accuracy, accuracy, "share of photos given their class"),
        Tile("Macro-F1", metrics.macro_f1, macro_f1, meaning),
        Tile(f"Weakest class: {name}", weakest.f1, weakest.f1_interval, f"F1 on {weakest.support} photos"),
    ]


def _format_settings(bundle: Bundle) -> str:
    settings = bundle.manifest.provenance.settings
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True) if settings else ""


def format_time(created: str) -> str:
    """A time in ISO 8601, UTC, for people; other texts stay as they are."""
    try:
        return f"{datetime.fromisoformat(created):%d %B %Y, %H:%M UTC}"
    except ValueError:
        return created
