from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.evaluation.compare.bundles import compare_bundles
from phytoflow.evaluation.compare.page import write_comparison_page
from phytoflow.evaluation.settings import EvaluationSettings
from tests.support.colour_bundle import COLOURS

SETTINGS = EvaluationSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def photos(colour_photo: Callable) -> list:
    return [colour_photo(colour, number) for colour in COLOURS for number in range(12)]


def test_the_page_shows_the_disagreements_and_needs_no_network(
    colour_bundle: Callable, photos: list, tmp_path: Path
) -> None:
    good = colour_bundle(tmp_path / "good")
    bad = colour_bundle(tmp_path / "bad", confused=("red", "blue"))
    comparison = compare_bundles(bad, good, photos, SETTINGS, seed=0)
    write_comparison_page(comparison, (bad, good), photos, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == page.count('src="data:image/jpeg') == 24
    assert "<td>red taken for blue</td><td>12</td><td>0</td>" in page
    assert "<td>33.3%" in page
    assert "http" not in page and "<script" not in page
    assert "prefers-color-scheme: dark" in page


def test_equal_bundles_have_no_section_of_disagreements(
    colour_bundle: Callable, photos: list, tmp_path: Path
) -> None:
    one, two = colour_bundle(tmp_path / "one"), colour_bundle(tmp_path / "two")
    comparison = compare_bundles(one, two, photos, SETTINGS, seed=0)
    write_comparison_page(comparison, (one, two), photos, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Inconclusive" in page and "every confusion is as frequent with both" in page
    assert "only one classifies correctly" not in page and "<img" not in page
