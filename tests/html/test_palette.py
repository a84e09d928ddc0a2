import itertools

import pytest

from phytoflow.html.palette import PALETTE, css_variables, light


def _luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "green", "red"])
def test_text_can_be_read_on_every_surface(text: str, scheme: int) -> None:
    for surface in ("page", "panel", "pale"):
        assert _contrast(PALETTE[text][scheme], PALETTE[surface][scheme]) >= 4.5, surface


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_badges_can_be_read_and_splits_told_apart(scheme: int) -> None:
    for badge in ("excluded", "warning", "note"):
        assert _contrast(PALETTE["ink"][scheme], PALETTE[badge][scheme]) >= 4.5, badge
    for one, other in itertools.combinations(("train", "validation", "test"), 2):
        assert PALETTE[one][scheme] != PALETTE[other][scheme]


def test_a_light_color_names_one_role() -> None:
    assert len({light(role) for role in PALETTE}) == len(PALETTE)


def test_the_style_sheet_has_both_schemes() -> None:
    screen, dark = css_variables().split("@media screen and (prefers-color-scheme: dark)")
    for role, color in PALETTE.items():
        assert f"--{role}: {color.light};" in screen
        assert f"--{role}: {color.dark};" in dark
