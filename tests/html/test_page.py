from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from phytoflow.html.page import breakable, data_uri, render_page

TEMPLATE = """{% extends "base.html" %}
{% block title %}{{ name }}{% endblock %}
{% block style %}.mine { color: red }{% endblock %}
{% block main %}<h1>{{ name }}</h1><img src="{{ picture | data_uri("png") }}">{% endblock %}"""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(TEMPLATE, encoding="utf-8")
    return file


def test_names_are_text_whatever_they_contain(template: Path) -> None:
    name = "Löwenzahn #1 <b>&\"q' 健康 🌿_x"
    page = render_page(template, name=name, picture=b"")
    parser = _Parser()
    parser.feed(page)
    assert "b" not in parser.tags
    assert name in "".join(parser.text)


def test_the_page_stands_alone_and_carries_its_style(template: Path) -> None:
    page = render_page(template, name="leaf", picture=b"\x89PNG")
    assert "prefers-color-scheme: dark" in page and ".mine { color: red }" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert "http" not in page and "<link" not in page and "<script" not in page


def test_a_value_that_is_not_given_is_an_error(template: Path) -> None:
    with pytest.raises(UndefinedError, match="name"):
        render_page(template, picture=b"")


def test_data_uri_and_breakable() -> None:
    assert data_uri(b"abc", "jpeg") == "data:image/jpeg;base64,YWJj"
    assert breakable("Apple___<scab>") == "Apple_<wbr>_<wbr>_<wbr>&lt;scab&gt;"
