"""What Evidently is given, and the page that it makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phytoflow.monitoring.evidently_report import to_frame, write_evidently_report
from phytoflow.monitoring.observations import WATCHED
from tests.support.drift import CLASSES, draw, draw_reference


def test_a_row_holds_the_watched_values_and_the_name_of_the_class() -> None:
    photos = draw(np.random.default_rng(0), 5)
    frame = to_frame(photos, CLASSES)
    assert list(frame.columns) == [*WATCHED, "label"]
    assert frame["confidence"].to_list() == photos.confidence.tolist()
    assert frame["label"].to_list() == [CLASSES[label] for label in photos.label]


def test_values_that_a_side_lacks_are_left_out(tmp_path: Path) -> None:
    photos = draw(np.random.default_rng(1), 60, features=False)
    write_evidently_report(draw_reference(2, 100), photos, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "novelty" in page and "component_1" not in page
