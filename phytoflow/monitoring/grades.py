"""Grades of an alarm: what it means for the answers."""

from __future__ import annotations

from typing import Literal

from phytoflow.monitoring.accuracy import MOST_UNKNOWN, AccuracyEstimate

Grade = Literal["none", "ungraded", "harmless", "harmful", "unfamiliar"]
"""``none``: no alarm. ``ungraded``: too few photos since the change. ``harmless``: the photos moved, the
estimated accuracy did not. ``harmful``: it fell. ``unfamiliar``: other things are photographed, or photos
so bad that the model does not recognise its classes; the accuracy cannot be told."""
FEWEST_GRADED = 30
"""Photos since the change from which on an alarm is graded."""
TOLERATED_DROP = 0.03
"""Fall of the estimated accuracy that counts as none: the estimate itself errs by as much."""
_ERRORS = 2  # standard errors by which a fall must exceed what is tolerated, so that few photos do not decide


def grade(alarm: bool, estimate: AccuracyEstimate) -> Grade:
    """Grades an alarm by the photos since the change."""
    if not alarm:
        return "none"
    if estimate.photos < FEWEST_GRADED:
        return "ungraded"
    if estimate.unknown_share > MOST_UNKNOWN:
        return "unfamiliar"
    drop, error = estimate.drop, estimate.error
    if drop is not None and error is not None and drop > TOLERATED_DROP + _ERRORS * error:
        return "harmful"
    return "harmless"
