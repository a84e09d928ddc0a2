import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from phytoflow.data.ingest.inspect import check
from phytoflow.data.ingest.scan import limits_of
from phytoflow.data.report.page import render_data_page
from phytoflow.data.settings import DataSettings
from tests.support.photo_folder import encoded, make_folder, picture, write

SETTINGS = DataSettings(threads=1)
EVIL = '<script>alert("x")</script>$x_{'


class _Tags(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.fixture
def page(tmp_path: Path) -> str:
    root = make_folder(tmp_path, {"healthy": 15, EVIL.replace("/", "|"): 5})
    write(root / "healthy" / "near.jpg", encoded(picture(1000), quality=50))
    write(root / "healthy" / "conflict.jpg", encoded(picture(1)))
    write(root / EVIL.replace("/", "|") / "conflict.jpg", encoded(picture(1)))
    write(root / "healthy" / "broken.jpg", b"")
    checked = check(root, SETTINGS, seed=0)
    return render_data_page(checked.table, checked.findings, checked.near, 0, limits_of(SETTINGS))


def test_the_page_is_self_contained_and_escapes_names(page: str) -> None:
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.tags and "link" not in tags.tags
    assert all(source.startswith("data:image/") for source in tags.sources)
    # twelve and five samples, a conflict and a near-duplicate of two pictures each
    assert tags.tags.count("img") == 12 + 5 + 2 + 2
    assert tags.tags.count("svg") == 3


def test_the_page_says_what_is_there(page: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in (
        "21 photos used",
        "3 files left out",
        "2 classes",
        "3.2 : 1",
        "healthy/broken.jpg",
        "width=device",
    ):
        assert words in (page if "=" in words else text), words
    assert "Same content, two labels" in text and "Photos that look the same" in text


def test_the_same_data_gives_the_same_page(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"a": 14, "b": 14})
    checked = check(root, SETTINGS, seed=0)
    one, two, other = (
        render_data_page(checked.table, checked.findings, checked.near, seed, limits_of(SETTINGS))
        for seed in (0, 0, 1)
    )
    assert one == two != other
    assert "No problems" not in one  # two tiny classes
