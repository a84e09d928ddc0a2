"""Charts of a search: importance of settings, parallel coordinates of trials, the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from markupsafe import Markup
from optuna.trial import FrozenTrial

from phytoflow.html.charts import new_axes, svg
from phytoflow.html.palette import light
from phytoflow.tuning.best import MACRO_F1, complete_trials, loss_of

MILLISECONDS, MEGABYTES = "milliseconds", "megabytes"
"""Attributes of a trial: the cost of its network."""
_FEWEST = 4  # trials, for importances that mean anything
_LABEL: dict[str, Any] = {
    "fontsize": 8,
    "color": light("ink"),
    "bbox": {"facecolor": light("panel"), "edgecolor": "none", "pad": 0.6},  # readable over the lines
}
_SHOWN_VALUES = 6  # of a setting on its axis


def importance(study: optuna.Study) -> Markup:
    """Shares of the variance of the loss that each setting explains (PED-ANOVA, Watanabe 2023).

    Empty if there are too few trials to tell.
    """
    if len(complete_trials(study.trials)) < _FEWEST:
        return Markup()
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    target = loss_of if len(study.directions) > 1 else None
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator, target=target)
    names = list(shares)[::-1]
    figure, axes = new_axes(0.8 + 0.3 * len(names))
    axes.barh([_short(name) for name in names], [shares[name] for name in names], color=light("green"))
    axes.set_xlabel("importance")
    return svg(figure)


def parallel_coordinates(trials: Sequence[FrozenTrial], best: FrozenTrial) -> Markup:
    """One line for each trial across all settings to its loss; the best one in green."""
    keys = sorted(best.params)
    columns = [_positions([trial.params[key] for trial in trials]) for key in keys]
    columns.append(_positions([loss_of(trial) for trial in trials]))
    figure, axes = new_axes(3.6, width=max(5.0, 1.3 * len(columns)))
    for row, trial in enumerate(trials):
        chosen = trial.number == best.number
        heights = [positions[row] for positions, _ in columns]
        color = light("green" if chosen else "soft")
        axes.plot(heights, color=color, lw=2.5 if chosen else 0.7, zorder=1 + chosen)
    for place, (_, labels) in enumerate(columns):
        axes.axvline(place, color=light("line"), lw=1, zorder=0)
        for height, label in labels:
            axes.text(place + 0.04, height, label, va="center", zorder=3, **_LABEL)
    names = [*(_short(key) for key in keys), "loss"]
    axes.set_xticks(range(len(columns)), names, rotation=20, ha="right")
    axes.set_xlim(-0.1, len(columns) - 0.4)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return svg(figure)


def pareto_front(trials: Sequence[FrozenTrial], best: FrozenTrial) -> Markup:
    """Macro-F1 against latency; larger points are larger networks. Empty if all networks cost the same."""
    costs = {(trial.user_attrs[MILLISECONDS], trial.user_attrs[MEGABYTES]) for trial in trials}
    if len(costs) == 1:
        return Markup()
    figure, axes = new_axes(3.0)
    front = {trial.number for trial in non_dominated(trials)}
    largest = max(size for _, size in costs)
    for trial in trials:
        color = light("green" if trial.number == best.number else "test" if trial.number in front else "soft")
        area = 20 + 100 * trial.user_attrs[MEGABYTES] / largest
        axes.scatter(trial.user_attrs[MILLISECONDS], trial.user_attrs[MACRO_F1], s=area, color=color)
    axes.set_xlabel("ms a photo")
    axes.set_ylabel("macro-F1")
    return svg(figure)


def non_dominated(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials than which no other one is better in macro-F1, latency or size and as good in the rest."""
    return [trial for trial in trials if not any(_dominates(other, trial) for other in trials)]


def _dominates(one: FrozenTrial, other: FrozenTrial) -> bool:
    first, second = (
        np.array([-t.user_attrs[MACRO_F1], t.user_attrs[MILLISECONDS], t.user_attrs[MEGABYTES]])
        for t in (one, other)
    )
    return bool((first <= second).all() and (first < second).any())


def _positions(values: list[float | str]) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights of values on an axis, 0 to 1, by rank, and the labels to write at heights."""
    different = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    heights = dict(zip(different, np.linspace(0, 1, len(different)), strict=True))
    step = -(-len(different) // _SHOWN_VALUES)
    names = [(heights[value], value if isinstance(value, str) else f"{value:.3g}") for value in different]
    return [float(heights[value]) for value in values], [(float(at), name) for at, name in names[::step]]


def _short(key: str) -> str:
    return key.partition(".")[2].replace("_", " ")
