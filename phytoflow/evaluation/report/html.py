"""``report.html``: one page that opens anywhere, without a network, on a phone or on paper."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from phytoflow.bundle.bundle import Bundle
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.report import phrases as words
from phytoflow.evaluation.report.examples import Shown
from phytoflow.evaluation.report.remarks import not_for, remarks, verdict, weakest_class
from phytoflow.evaluation.results import Metrics

if TYPE_CHECKING:
    from jinja2 import Environment, Template

REPORT_FILE = "report.html"
_TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Pictures:
    """PNG files' bytes; ``curves`` is None where training is not at hand, ``risk`` without a mistake."""

    confusion: bytes
    reliability: bytes
    curves: bytes | None = None
    risk: bytes | None = None


@dataclass(frozen=True)
class Tile:
    """One of the three figures of the first screen; shares in 0..1."""

    title: str
    value: float
    interval: Interval
    meaning: str


def render_report(metrics: Metrics, bundle: Bundle, pictures: Pictures, examples: Shown) -> str:
    """The page as HTML.

    Args:
        metrics: The figures.
        bundle: What was measured, for its provenance.
        pictures: Put into the page.
        examples: Photos to show.
    """
    return _template().render(
        metrics=metrics,
        verdict=verdict(metrics),
        remarks=remarks(metrics),
        not_for=not_for(metrics),
        ask=words.ask(metrics.selective) if metrics.selective else "",
        robustness=words.robustness(metrics.robustness) if metrics.robustness else "",
        field=words.field(metrics.field) if metrics.field else "",
        int8=words.int8(bundle.manifest.int8) if bundle.manifest.int8 else "",
        leaks=words.leaks(metrics.leaks) if metrics.leaks else "",
        tiles=_tiles(metrics),
        rows=sorted(metrics.per_class.items(), key=lambda item: (item[1].support == 0, item[1].f1)),
        pictures=pictures,
        mistakes=examples.surest_mistakes,
        unsure=examples.least_sure,
        mistaken=metrics.photos - sum(row[i] for i, row in enumerate(metrics.confusion_matrix)),
        manifest=bundle.manifest,
        trained_on=len(bundle.training_photos()),
        created=_day(bundle.manifest.provenance.created),
        settings=yaml.safe_dump(bundle.manifest.provenance.settings, sort_keys=False, allow_unicode=True),
    )


def _tiles(metrics: Metrics) -> list[Tile]:
    name, weakest = weakest_class(metrics)
    assert weakest.f1_interval is not None  # it has test photos
    return [
        Tile("Accuracy", metrics.accuracy, metrics.intervals["accuracy"], "photos named rightly"),
        Tile(
            "Macro-F1",
            metrics.macro_f1,
            metrics.intervals["macro_f1"],
            "every class counted alike, rare or common: found, and not claimed wrongly",
        ),
        Tile(f"Weakest class: {name}", weakest.f1, weakest.f1_interval, f"F1 on {weakest.support} photos"),
    ]


def _day(created: str) -> str:
    try:
        return f"{datetime.fromisoformat(created):%d %B %Y, %H:%M UTC}"
    except ValueError:
        return created


@cache
def _template() -> Template:
    return environment().from_string(_TEMPLATE.read_text(encoding="utf-8"))


def environment() -> Environment:
    """What fills a page's template: names are escaped, and a name that is not given is an error."""
    from jinja2 import Environment, StrictUndefined

    found = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters: dict[str, Any] = {
        "percent": words.percent,
        "between": words.between,
        "picture": _data_uri,
        "breakable": _breakable,
    }
    found.filters |= filters
    return found


def _breakable(name: str) -> Markup:
    """A name that may be broken after each underscore, where it would not fit."""
    return Markup("_<wbr>").join(name.split("_"))


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
