"""Names and limits of the V2 protocol that clients and the predictor share."""

from __future__ import annotations

from typing import Literal

Augmentation = Literal["none", "flips", "crops"]
"""Values of the parameter ``tta``, test-time augmentation."""

VIEWS: dict[Augmentation, int] = {"none": 1, "flips": 4, "crops": 10}
"""Views of a photo that each augmentation averages. Every view counts against the photos of a request."""

MAX_PHOTOS_PER_REQUEST = 16
"""Default of the predictor's ``--max_photos_per_request``; clients split longer lists."""

MAX_EXPLAINED_PHOTOS = 4
"""Photos of one request that may be explained; an explanation can cost 64 runs of the network."""

OUTPUTS = ("probabilities", "labels", "scores", "milliseconds")
"""Outputs of every response."""

OOD_OUTPUTS = ("known", "novelty")
"""Outputs of a bundle that has out-of-distribution statistics."""

FEATURES = "features"
"""Output of the network's pooled features, for drift detection; only of a request that names it."""

LOGGED = "logged"
"""Parameter with which a caller says that it logs its predictions itself."""

EXPLANATION = "explanation"
"""Output of a request with the parameter ``explain``."""
