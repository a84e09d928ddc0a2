"""Refuses limits of cost that no network of a search is within, before anything is spent."""

from __future__ import annotations

from phytoflow.errors import ConfigError
from phytoflow.inference.cost import measure_cost
from phytoflow.tuning.plan import Plan


def check_limits(plan: Plan, classes: int) -> None:
    """Measures the networks that the search may try until one is within the limits.

    Args:
        plan: The search.
        classes: Number of classes.

    Raises:
        ConfigError: None is.
    """
    if not (plan.limits.milliseconds or plan.limits.megabytes):
        return
    costs = []
    for settings in plan.networks:
        costs.append(measure_cost(settings.model, classes))
        if max(plan.limits.excess(costs[-1])) <= 0:
            return
    cheapest = min(costs, key=lambda cost: max(plan.limits.excess(cost)))
    what = f"no network of the search is within the limits; the nearest has {cheapest.describe()}"
    remedy = "allow more, or vary the network, e.g. --vary 'model.image_size=[128, 160]'"
    raise ConfigError(what, remedy=remedy)
