"""The monitor's page."""

import numpy as np

from phytoflow.monitoring.monitor import Monitor
from phytoflow.monitoring.page import render_monitor_page
from tests.support.drift import draw, draw_reference


def test_the_page_shows_an_alarm_with_its_reasons_and_escapes_names() -> None:
    monitor = Monitor(draw_reference(0, 300))
    photos = draw(np.random.default_rng(1), 80, moved=3.0)
    state, totals = monitor.advance(monitor.start(), photos, [f"<{i}>.jpg" for i in range(80)])
    page = render_monitor_page(monitor.assess(state), totals, source="camera & sons", version="abc")
    assert "camera &amp; sons" in page and "Harmless drift" in page
    assert "principal component 1 of the features" in page
    assert "&lt;" in page and "<0>.jpg" not in page
    assert "<svg" in page


def test_the_page_of_no_photos_says_so() -> None:
    monitor = Monitor(draw_reference(0, 300))
    page = render_monitor_page(monitor.assess(monitor.start()), np.empty(0), source="x", version="abc")
    assert "No photos yet." in page and "What moved" not in page
