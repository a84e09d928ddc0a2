"""The colours of pages and charts, one pair a role: for a light page and for a dark one.

Charts are drawn with the light colours. ``charts.svg`` turns each of them into a reference to the CSS
variable of the same role, so that a chart follows the reader's colour scheme like the text around it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Color(NamedTuple):
    """One role's colours, ``#rrggbb``."""

    light: str
    dark: str


# No light colour occurs twice: charts.svg finds the role by it. Text on `page` and on `panel` has a contrast
# of at least 4.5 : 1 in both schemes (WCAG 2.2, level AA); tests/html/test_palette.py computes it.
PALETTE: Final[dict[str, Color]] = {
    "ink": Color("#1d2b24", "#e4ece7"),  # text
    "soft": Color("#5b6a62", "#9fb0a7"),  # secondary text, axes
    "line": Color("#dbe3de", "#37443d"),  # borders, grid lines
    "page": Color("#f7f9f8", "#121815"),
    "panel": Color("#fefffe", "#1a221e"),
    "pale": Color("#eef5f0", "#223029"),  # tinted surfaces
    "green": Color("#2f7d4f", "#69c08d"),  # accent, right answers
    "red": Color("#a8412f", "#ee8f7c"),  # wrong answers, warnings
    "train": Color("#3b7a57", "#5aa97d"),
    "validation": Color("#d9a441", "#e0b566"),
    "test": Color("#7a5195", "#b48fd0"),
    "excluded": Color("#f6d5d0", "#57271f"),  # backgrounds of badges
    "warning": Color("#fbe8c4", "#513b0e"),
    "note": Color("#dfe9f5", "#233a54"),
}


def light(role: str) -> str:
    """The colour a chart draws a role with."""
    return PALETTE[role].light


def css_variables() -> str:
    """The palette as CSS: variables of the light scheme, replaced where the reader prefers a dark one."""
    return (
        f":root {{ color-scheme: light dark; {_declarations(0)} }}\n"
        # Paper is light, whatever the screen prefers.
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_declarations(1)} }} }}\n"
    )


def _declarations(scheme: int) -> str:
    return " ".join(f"--{role}: {color[scheme]};" for role, color in PALETTE.items())
