"""All rules."""

from __future__ import annotations

from phytoflow.alerts import gateway, model, objectives, predictor
from phytoflow.alerts.rule import Alert, Group

GROUPS: tuple[Group, ...] = (predictor.GROUP, objectives.GROUP, gateway.GROUP, model.GROUP)


def all_alerts() -> list[Alert]:
    """Every alert, in the order of the groups."""
    return [rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert)]
