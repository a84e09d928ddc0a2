"""`phytoflow predict`: what is on these photographs?"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from phytoflow.errors import ConfigError, PhotoError, PhytoflowError


@dataclass(frozen=True)
class Guess:
    """The likeliest classes, best first, with their probabilities, and whether it is any of them."""

    labels: list[str]
    scores: list[float]
    known: bool | None = None
    novelty: float | None = None


Ask = Callable[[Sequence[bytes]], list[Guess]]
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})
_TOGETHER = 8
_LOG = logging.getLogger(__name__)


def predict(images: Sequence[Path], *, url: str, bundle: str, model: str, top_k: int, as_json: bool) -> int:
    """Prints one line a photo; a photo that cannot be used is named on the error stream.

    Args:
        images: Photos, or folders of them.
        url: A running predictor, or empty.
        bundle: A bundle's folder, used if there is no ``url``.
        model: Name of the served model.
        top_k: Classes shown.
        as_json: One JSON object a line instead of text.

    Returns:
        How many photos could not be answered.

    Raises:
        ConfigError: No photo is there.
        ServingError: The predictor cannot be reached.
        BundleError: The bundle cannot be used.
    """
    photos = list(_photos(images))
    if not photos:
        raise ConfigError(
            f"no photo in {', '.join(map(str, images))}", remedy="give photos or folders of photos"
        )
    ask = _over_network(url, model, top_k) if url else _here(bundle, top_k)
    answered = 0
    for path, guess in _answers(photos, ask):
        answered += guess is not None
        if guess:
            print(_json(path, guess) if as_json else _line(path, guess), flush=True)
    return len(photos) - answered


def _photos(images: Iterable[Path]) -> Iterator[Path]:
    for path in images:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES)
        else:
            yield path


def _answers(photos: Sequence[Path], ask: Ask) -> Iterator[tuple[Path, Guess | None]]:
    rest = iter(photos)
    while paths := list(islice(rest, _TOGETHER)):
        yield from _together(paths, ask)


def _together(paths: Sequence[Path], ask: Ask) -> list[tuple[Path, Guess | None]]:
    """Asks for some photos at once; if one of them is refused, for each alone."""
    try:
        return list(zip(paths, ask([path.read_bytes() for path in paths]), strict=True))
    except (PhytoflowError, OSError) as error:
        if len(paths) > 1:
            return [answer for path in paths for answer in _together([path], ask)]
        if not _is_about_the_photo(error):
            raise
        _LOG.error("%s: %s", paths[0], getattr(error, "message", error))
        return [(paths[0], None)]


def _is_about_the_photo(error: Exception) -> bool:
    from phytoflow.client.prediction import RefusedError

    return isinstance(error, PhotoError | RefusedError | OSError)


def _over_network(url: str, model: str, top_k: int) -> Ask:
    from phytoflow.client import Client

    client = Client(url, model)
    return lambda contents: [
        Guess(list(a.labels), list(a.scores), a.known, a.novelty) for a in client.predict(contents, top_k)
    ]


def _here(bundle: str, top_k: int) -> Ask:
    from phytoflow.inference.classifier import Classifier

    classifier = Classifier.load(bundle)

    def ask(contents: Sequence[bytes]) -> list[Guess]:
        found = classifier.predict(contents)
        rows = [Guess(names, row.tolist()) for names, row in zip(*found.top(top_k), strict=True)]
        if found.novelty is None:
            return rows
        novelty = found.novelty.tolist()
        return [replace(g, known=n <= 1, novelty=n) for g, n in zip(rows, novelty, strict=True)]

    return ask


def _line(path: Path, guess: Guess) -> str:
    named = zip(guess.labels, guess.scores, strict=True)
    text = ", ".join(f"{label} {score:.1%}" for label, score in named)
    if guess.known is False:
        return f"{path}: unknown, unlike what it was trained on (novelty {guess.novelty:.1f}; else {text})"
    return f"{path}: {text}"


def _json(path: Path, guess: Guess) -> str:
    said: dict[str, Any] = {"path": str(path), "labels": guess.labels}
    said |= {"scores": [round(s, 6) for s in guess.scores]}
    if guess.novelty is not None:
        said |= {"known": guess.known, "novelty": round(guess.novelty, 4)}
    return json.dumps(said)
