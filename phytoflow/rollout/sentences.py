"""The reasons of decisions in words, and how a stored reason is told in another language."""

from __future__ import annotations

import re
from collections.abc import Callable

REASONS: dict[str, str] = {
    "failures": "it failed on {hits} of {photos} photos that the champion answered",
    "recent_failures": "it failed on {hits} of the newest {photos} photos that the champion answered",
    "slow": "it was slow on {hits} of {photos} photos",
    "recent_slow": "it was slow on {hits} of the newest {photos} photos",
    "disagreements": "it names another class on {hits} of {photos} photos",
    "recent_disagreements": "it names another class on {hits} of the newest {photos} photos",
    "shift": "its probabilities differ by {shift} on average",
    "recent_shift": "its probabilities differ by {shift} on average of the newest {photos} photos",
    "less_accurate": "less accurate: right on {right} of {labels} photos that decide",
    "needs_pairs": "needs {answers} more answers",
    "needs_labels": "needs about {labels} more labels of photos on which the two disagree",
    "needs_answers": "needs about {answers} more answers",
    "needs_either": (
        "needs about {labels} more labels of photos on which the two disagree or {answers} more answers"
    ),
    "needs_many": "needs about more than 10,000 more labels or answers",
    "nothing_against": "nothing speaks against it after {pairs} pairs",
    "by_hand": "by {name}",
}

Translate = Callable[[str], str]


def translate_reason(reason: str, translate: Translate) -> str:
    """A reason in another language; a reason that none of the texts above gave stays as it is.

    Reasons are stored in English. The text that a reason was written with is found again by its words.

    Args:
        reason: The reason as ``decide`` or a stored decision has it.
        translate: Translates a message of the catalogue.
    """
    for text, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            return translate(text).format(**found.groupdict())
    return reason


def _pattern(text: str) -> re.Pattern[str]:
    """Matches a text with its values put in: numbers, and for ``name`` anything."""

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        return f"(?P<{name}>.*)" if name == "name" else rf"(?P<{name}>\d+(?:\.\d+)?)"

    return re.compile(re.sub(r"\\{(\w+)\\}", value, re.escape(text)), re.DOTALL)


_PATTERNS = {text: _pattern(text) for text in REASONS.values()}
