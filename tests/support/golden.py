"""A bundle, its photos and its recorded answers, all made by the code of commit 210d6d1.

Every later version must give these answers. ``golden_bundle/README.md`` says how they were recorded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden_bundle"
BUNDLE = FOLDER / "bundle"
PHOTOS = FOLDER / "photos"
SERVED = ("healthy/healthy-0.jpg", "healthy/healthy-4.jpg", "rust/rust-3.jpg", "scab/scab-2.jpg")
"""The photos sent to the predictor, in the order of the recorded ``v1`` and ``v2`` responses."""


def answers() -> dict[str, Any]:
    """The recorded answers.

    Returns:
        ``photos``: for each runtime and photo its ``probabilities`` and ``novelty``. ``views``: probabilities
        of the first photo averaged over ``flips`` and ``crops``. ``heat``: every eighth value of its heat
        map. ``v1``, ``v2`` and ``metadata``: the predictor's responses for ``SERVED``.
    """
    return dict(json.loads((FOLDER / "answers.json").read_text()))
