import io
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from phytoflow.html.charts import WIDTH, new_axes, png, short_labels, svg
from phytoflow.html.palette import light

NAMES = ["健康 🌿", "a$b$ c", "Löwenzahn #1 <b>&\"q'"]


def _bars(names: list[str]) -> Figure:
    figure, axes = new_axes(2)
    axes.barh(names, np.arange(1, len(names) + 1), color=light("train"))
    axes.set_xlabel("photos")
    return figure


def _texts(markup: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(markup).iter() if "text" in node.tag]


def test_names_are_drawn_as_they_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of glyphs that matplotlib's own fonts lack
        texts = _texts(svg(_bars(NAMES)))
    assert set(NAMES) <= set(texts)


def test_colors_follow_the_page() -> None:
    markup = svg(_bars(["rust"]))
    for role in ("train", "soft", "ink"):
        assert f"var(--{role}, {light(role)})" in markup


def test_two_charts_of_a_page_share_no_id() -> None:
    ids = [
        {node.get("id") for node in ElementTree.fromstring(svg(_bars(names))).iter()} - {None}
        for names in (["rust"], ["rust", "scab"])
    ]
    assert all("_" not in str(name) for each in ids for name in each)


def test_a_chart_is_reproducible() -> None:
    assert svg(_bars(NAMES)) == svg(_bars(NAMES))
    assert png(_bars(["rust"])) == png(_bars(["rust"]))


def test_a_png_stands_on_white() -> None:
    image = Image.open(io.BytesIO(png(_bars(["rust"]))))
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_tall_chart_is_bounded() -> None:
    figure, _ = new_axes(1000)
    assert figure.get_size_inches().tolist() == [WIDTH, 24]


@pytest.mark.parametrize(
    ("labels", "short"),
    [
        (["rust", 7], ["rust", "7"]),
        (["a" * 15 + "b" * 15], ["a" * 13 + "…" + "b" * 14]),
        (
            ["a" * 20 + "1" + "b" * 20, "a" * 20 + "2" + "b" * 20],
            [f"{n}. " + "a" * 13 + "…" + "b" * 14 for n in (1, 2)],
        ),
    ],
)
def test_short_labels_stay_distinct(labels: list[object], short: list[str]) -> None:
    assert short_labels(labels) == short
