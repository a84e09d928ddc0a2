"""Charts for pages and files: matplotlib figures as inline SVG or as PNG."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from phytoflow.html.palette import PALETTE, light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PNG_DPI: Final = 130
# Inches. Text of 10 points then has 9 CSS pixels on a phone of 390, and 13 in a column of 480.
WIDTH: Final = 5.0
# Text stays text: the reader's own fonts draw what matplotlib's lack, such as Chinese or an emoji.
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "phytoflow",
    "text.parse_math": False,
}
_ROLES: Final = {color.light: role for role, color in PALETTE.items()}


def new_axes(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """One set of axes in the palette's colours, without a box around it.

    Args:
        height: Inches; at most 24 are drawn.
        width: Inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, min(height, 24)), layout="constrained")
    axes = figure.subplots()
    style_axes(axes)
    return figure, axes


def style_axes(axes: Axes) -> None:
    """Gives axes the palette's colours and takes their top and right border away."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(light("soft"))
    axes.tick_params(color=light("soft"), labelcolor=light("ink"))
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(light("ink"))


def short_labels(labels: Iterable[object], longest: int = 28) -> list[str]:
    """Class names that leave room for a chart; each can still be told from the others."""
    half = longest // 2
    names = [str(label) for label in labels]
    short = [name if len(name) <= longest else f"{name[: half - 1]}…{name[-half:]}" for name in names]
    return short if len(set(short)) == len(short) else [f"{at}. {name}" for at, name in enumerate(short, 1)]


def svg(figure: Figure) -> Markup:
    """A figure as inline SVG whose colours follow the page's scheme; the same figure gives the same text."""
    buffer = io.StringIO()
    _save(figure, buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]  # neither XML declaration nor document type stand within HTML
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[\w.]+_\d+">', "<g>", text)  # two figures of a page would share these ids
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    return Markup(re.sub(r"#[0-9a-f]{6}\b", _variable, text))


def png(figure: Figure) -> bytes:
    """A figure as a PNG file on a white ground; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    _save(figure, buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _save(figure: Figure, file: io.StringIO | io.BytesIO, **options: Any) -> None:
    from matplotlib import rc_context

    _take_names_literally(figure)
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, **options)


def _take_names_literally(figure: Figure) -> None:
    """Turns mathematical typesetting off: a class may be named ``a$b$``."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)


def _variable(match: re.Match[str]) -> str:
    role = _ROLES.get(match.group())
    return f"var(--{role}, {match.group()})" if role else match.group()
