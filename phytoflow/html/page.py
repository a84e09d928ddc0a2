"""Renders self-contained HTML pages: they open without a network, on a phone, on paper, in the dark."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from phytoflow.html.palette import css_variables

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent


def render_page(template: Path, **values: object) -> str:
    """Renders a template that extends ``base.html``.

    Args:
        template: The template's file.
        values: Its variables; a variable that is not given is an error.
    """
    page = _environment().from_string(template.read_text(encoding="utf-8"))
    return page.render(values)


def data_uri(content: bytes, kind: str) -> str:
    """An image file's bytes as a ``data:`` URI; ``kind`` is ``png``, ``jpeg`` and the like."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def breakable(name: str) -> Markup:
    """A name that may be broken after each underscore, for long class names in narrow tables."""
    return Markup("_<wbr>").join(name.split("_"))


@cache
def _environment() -> Environment:
    """The one environment: values are escaped, and undefined variables are errors."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),  # base.html
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": data_uri, "breakable": breakable}
    style = css_variables() + (_FOLDER / "style.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(style)
    return environment
