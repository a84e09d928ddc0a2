"""Resolves settings: a preset, then a YAML file, then ``key=value`` assignments, each on top of the last.

Every refusal names the key, the value, what is allowed, and the nearest valid name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from phytoflow.config.combinations import check_combinations
from phytoflow.config.overrides import SettingsOverrides, merge_trees
from phytoflow.config.presets import PRESETS
from phytoflow.config.reference import known_settings
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError, nearest_name

_Model = TypeVar("_Model", bound=BaseModel)
_OWN_WORDS = ("_type", "_parsing", "pattern_mismatch")
"""Ends of the types of pydantic's faults that the reference says better: which kind of value it must be."""


def load_settings(file: Path | None = None, assignments: Iterable[str] = ()) -> RunSettings:
    """Reads and checks the settings of a run.

    Args:
        file: YAML file; sections and keys as in ``phytoflow.config.settings.RunSettings``.
        assignments: ``section.key=value`` texts; values are YAML, so lists and numbers work.

    Raises:
        ConfigError: An unknown key, a value out of range, or an unreadable file.
    """
    return resolve(SettingsOverrides.read(file, assignments))


def resolve(overrides: SettingsOverrides) -> RunSettings:
    """Lays settings over those of their preset, and checks all.

    Raises:
        ConfigError: Lists every wrong key and value, or settings that contradict each other.
    """
    preset = overrides.tree.get("preset", "default")
    if preset not in PRESETS:
        what = f"unknown preset {str(preset)!r}; there are {', '.join(PRESETS)}"
        raise ConfigError(what, remedy=_nearest(str(preset), PRESETS))
    settings = validate(RunSettings, merge_trees(PRESETS[preset], overrides.tree))
    check_combinations(settings)
    return settings


def validate(model: type[_Model], tree: Mapping[str, Any]) -> _Model:
    """Checks a tree of settings against its model.

    Raises:
        ConfigError: Lists every wrong key and value.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        faults = [_explain(model, fault) for fault in error.errors()]
        remedy = "`phytoflow settings` lists all keys" if model is RunSettings else ""
        raise ConfigError("\n".join(faults), remedy=remedy) from error


def _explain(model: type[BaseModel], fault: Any) -> str:
    key, value = ".".join(str(part) for part in fault["loc"]), fault["input"]
    known = known_settings(model)
    if fault["type"] == "extra_forbidden":
        return f"unknown setting {key}={value!r}. {_nearest(key, known)}".rstrip()
    if fault["type"] == "value_error" and isinstance(value, dict):  # keys that do not go together
        return f"{key}: {fault['ctx']['error']}".removeprefix(": ")
    allowed = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    choices = fault.get("ctx", {}).get("expected", "").replace("'", "").replace(" or ", ", ").split(", ")
    setting = known.get(key)
    if setting and fault["type"].endswith(_OWN_WORDS):
        allowed = setting.allowed
    words = (_nearest(str(value), choices), setting.meaning if setting else "")
    return " ".join([f"{key}={value!r} is not allowed: must be {allowed}.", *filter(None, words)])


def _nearest(name: str, known: Iterable[str]) -> str:
    """``Did you mean ...?``, by the whole key first and by its last part second."""
    names = [key for key in known if key]
    tails = {key.rsplit(".", 1)[-1]: key for key in names}
    near = nearest_name(name, names) or tails.get(nearest_name(name.rsplit(".", 1)[-1], tails, 0.6), "")
    return f"Did you mean {near}?" if near else ""
