"""Renders what the monitor found as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from phytoflow.html.charts import new_axes, svg
from phytoflow.html.page import render_page
from phytoflow.html.palette import light
from phytoflow.monitoring.martingale import ALARM
from phytoflow.monitoring.monitor import Assessment
from phytoflow.monitoring.sentences import GRADES, WHAT, accuracy_sentence

_TEMPLATE = Path(__file__).with_name("page.html")
_MOST_POINTS = 2000


def render_monitor_page(
    assessment: Assessment,
    totals: NDArray[np.float64],
    *,
    source: str,
    version: str,
    served: Sequence[tuple[str, bytes]] = (),
    training: Sequence[tuple[str, bytes]] = (),
) -> str:
    """Renders the page.

    Args:
        assessment: What the monitor found.
        totals: Wealth after each photo, float64 [N].
        source: Where the photos come from.
        version: Version of the bundle.
        served: Name and JPEG thumbnail of the photos that resemble the reference least.
        training: The same of photos of the bundle.
    """
    return render_page(
        _TEMPLATE,
        result=assessment,
        grade=GRADES[assessment.grade],
        accuracy=accuracy_sentence(assessment.accuracy),
        what=WHAT,
        chart=_draw(totals),
        source=source,
        version=version,
        served=served,
        training=training,
    )


def _draw(totals: NDArray[np.float64]) -> Markup:
    """Wealth over the photos, on a logarithmic scale, with the line at which there is an alarm."""
    figure, axes = new_axes(2.6)
    shown = np.unique(np.linspace(0, max(len(totals) - 1, 0), _MOST_POINTS).astype(int))
    if len(totals):
        axes.plot(shown + 1, np.maximum(totals[shown], 1e-3), color=light("green"))
    axes.axhline(ALARM, color=light("red"), linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("photo")
    axes.set_ylabel("wealth of the test")
    return svg(figure)
