"""Parts of the manifest that report measurements."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from phytoflow.bundle.reports import METHODS, Int8Report, OodDetection
from phytoflow.ood.scores import _SCORES

OOD = {
    "file": "ood.npz",
    "sha256": "0" * 64,
    "method": "energy",
    "typical": -2.0,
    "threshold": 1.0,
    "known_photos": 40,
    "false_positive_rate": 0.05,
    "scores": {"energy": {"near": None, "far": 0.9}},
}


def test_methods_are_the_scores_that_are_implemented() -> None:
    assert set(METHODS) == set(_SCORES)


def test_a_report_survives_the_manifests_json() -> None:
    made = OodDetection.model_validate(OOD)
    assert OodDetection.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "guess"}, "method"),
        ({"scores": {"guess": {"near": 1, "far": 1}}}, "scores"),
        ({"treshold": 1}, "treshold"),
    ],
)
def test_what_this_version_cannot_read_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        OodDetection.model_validate_json(json.dumps(OOD | changes))


def test_a_report_cannot_be_changed() -> None:
    report = Int8Report(rejection_reason="", recipe="", photos=1, bytes=1, float_bytes=4, trials=())
    with pytest.raises(ValidationError, match="frozen"):
        report.photos = 2  # type: ignore[misc]
