"""What an alarm means."""

import pytest

from phytoflow.monitoring.accuracy import AccuracyEstimate
from phytoflow.monitoring.grades import Grade, grade


def estimate(
    photos: int, unknown: float, thresholded: float | None, error: float = 0.005
) -> AccuracyEstimate:
    return AccuracyEstimate(
        photos=photos, unknown_share=unknown, reference=0.95, thresholded=thresholded, error=error
    )


@pytest.mark.parametrize(
    ("alarm", "photos", "unknown", "thresholded", "expected"),
    [
        (False, 500, 0.9, None, "none"),
        (True, 29, 0.9, None, "ungraded"),
        (True, 30, 0.21, None, "unfamiliar"),
        (True, 300, 0.1, 0.94, "harmless"),
        (True, 300, 0.1, 0.915, "harmless"),  # within what the estimate errs by
        (True, 300, 0.1, 0.90, "harmful"),
    ],
)
def test_grades(alarm: bool, photos: int, unknown: float, thresholded: float | None, expected: Grade) -> None:
    assert grade(alarm, estimate(photos, unknown, thresholded)) == expected


def test_few_photos_do_not_make_a_fall() -> None:
    assert grade(True, estimate(30, 0.0, 0.90, error=0.05)) == "harmless"
