import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from markupsafe import Markup

from phytoflow.data.report.charts import draw_brightness, draw_counts, draw_sizes
from phytoflow.html.palette import light


def _texts(svg: Markup) -> list[str]:
    return ["".join(node.itertext()).strip() for node in ElementTree.fromstring(svg).findall(".//{*}text")]


def _bars(svg: Markup, role: str) -> list[float]:
    """Widths of the bars drawn in a role's colour, left of the axes' edge, in points."""
    widths = []
    for path in ElementTree.fromstring(svg).findall(".//{*}path"):
        if f"var(--{role}, {light(role)})" in path.get("style", "") and path.get("clip-path"):
            xs = [float(x) for x in re.findall(r"[ML] (\S+)", path.get("d", ""))]
            widths.append(max(xs) - min(xs))
    return widths


def test_counts_are_bars_in_proportion_with_totals() -> None:
    counts = pd.DataFrame(
        {"train": [30, 60], "validation": [5, 10], "test": [10, 20]}, index=["健康 🌿", "rust"]
    )
    svg = draw_counts(counts)
    assert {"健康 🌿", "rust", "45", "90", "train", "validation", "test"} <= set(_texts(svg))
    first, second = _bars(svg, "train")
    assert abs(second / first - 2) < 0.001


def test_two_classes_whose_short_names_agree_have_a_bar_each() -> None:
    names = ["a" * 20 + mark + "b" * 20 for mark in "12"]
    svg = draw_counts(pd.DataFrame({"train": [3, 4], "validation": [1, 1], "test": [1, 1]}, index=names))
    assert len(_bars(svg, "train")) == 2


def test_many_sizes_do_not_make_a_large_page() -> None:
    rng = np.random.default_rng(0)
    used = pd.DataFrame({"width": rng.integers(100, 9000, 20_000), "height": rng.integers(100, 9000, 20_000)})
    assert len(draw_sizes(used)) < 200_000


def test_brightness_has_a_box_a_class() -> None:
    rng = np.random.default_rng(0)
    used = pd.DataFrame({"label": ["rust"] * 50 + ["scab"] * 50, "brightness": rng.random(100)})
    svg = draw_brightness(used)
    assert {"rust", "scab", "mean brightness: 0 black, 1 white"} <= set(_texts(svg))
