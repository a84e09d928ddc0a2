"""Every alert was fired; runs after the other files of this folder, and needs them."""

from __future__ import annotations

from phytoflow.alerts.catalogue import all_alerts
from tests.slow.alerts.service import FIRED, LONGEST_SECONDS


def test_every_alert_was_fired() -> None:
    assert FIRED.keys() == {alert.name for alert in all_alerts()}
    assert max(FIRED.values()) <= LONGEST_SECONDS
