"""Translates ``metrics.json`` of schema 1, which bundles made before schema 2 hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

_TOP = {
    "confidence": "confidence_level",
    "ways": "variants",
    "open_set": "ood",
    "background": "background_bias",
    "field": "external",
}
_CALIBRATION = {
    "by_chance": "ece_if_calibrated",
    "by_chance_most": "ece_if_calibrated_p95",
    "beyond_chance": "excess_ece",
}
_SELECTIVE = {
    "area": "aurc",
    "ask_below": "reject_below",
    "asked": "rejection_rate",
    "error_kept": "selective_risk",
}
_OOD = {"refused": "false_positive_rate", "strangers": "external"}
_VARIANTS = {"confidence": "confidence_level"}
_EXTERNAL = {"refused": "unknown_rate"}
_EXTERNAL_CLASS = {"found": "recall", "own": "own_recall"}


def upgrade_schema_1(values: Mapping[str, Any]) -> Tree:
    """The same values under the names of schema 2.

    Args:
        values: Content of a ``metrics.json`` of schema 1; left unchanged.
    """
    tree = _rename(values, _TOP) | {"schema_version": 2}
    for name, names in (
        ("calibration", _CALIBRATION),
        ("selective", _SELECTIVE),
        ("ood", _OOD),
        ("variants", _VARIANTS),
    ):
        if tree.get(name):
            tree[name] = _rename(tree[name], names)
    if tree.get("external"):
        tree["external"] = _upgrade_external(tree["external"])
    if tree.get("robustness"):
        tree["robustness"] = _upgrade_robustness(tree["robustness"])
    return tree


def _rename(values: Mapping[str, Any], names: Mapping[str, str]) -> Tree:
    return {names.get(name, name): value for name, value in values.items()}


def _upgrade_external(values: Mapping[str, Any]) -> Tree:
    classes = {label: _rename(row, _EXTERNAL_CLASS) for label, row in values["per_class"].items()}
    return _rename(values, _EXTERNAL) | {"per_class": classes}


def _upgrade_robustness(values: Mapping[str, Any]) -> Tree:
    label, accuracy = values["worst_class"]
    group, corruption, group_accuracy = values["worst_group"]
    return dict(values) | {
        "worst_class": {"label": label, "accuracy": accuracy},
        "worst_group": {"label": group, "corruption": corruption, "accuracy": group_accuracy},
    }
