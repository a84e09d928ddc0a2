"""Translations: one gettext catalogue a language, read when the console starts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from fastapi import Request

LOCALE_FOLDER = Path(__file__).with_name("locale")
DEFAULT = "en"
COOKIE = "phytoflow-language"


@cache
def catalogues() -> dict[str, Mapping[str, str]]:
    """Messages by language; English needs none, its texts are the messages themselves."""
    found: dict[str, Mapping[str, str]] = {DEFAULT: {}}
    for file in sorted(LOCALE_FOLDER.glob("*/LC_MESSAGES/console.po")):
        with file.open("rb") as stream:
            messages = read_po(stream)
        found[file.parts[-3]] = {str(m.id): str(m.string) for m in messages if m.id and m.string}
    return found


def choose_language(request: Request) -> str:
    """The language of a request: the reader's choice, else the browser's, else English."""
    known = catalogues()
    chosen = request.query_params.get("language") or request.cookies.get(COOKIE, "")
    if chosen in known:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in known:
            return language
    return DEFAULT


class Translator:
    """Translates messages to one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._messages = catalogues()[language]

    def __call__(self, message: str) -> str:
        """The message in the language; itself where the catalogue lacks it."""
        return self._messages.get(message, message)
