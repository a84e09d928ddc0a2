"""The search space: settings that carry a range or choices, and that the user has not set."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Literal

from optuna.trial import Trial
from pydantic.fields import FieldInfo

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError
from phytoflow.settings_base import SearchChoices, SearchRange
from phytoflow.training.settings import PLACEMENT

_SEARCHED = ("model", "training")  # sections that a trial reads
Preset = Literal["quick", "full"]
Value = str | int | float
Space = Mapping[str, SearchRange | SearchChoices]
"""How each setting is varied, by its key, e.g. ``training.rank``."""


def search_space(
    preset: Preset, overrides: SettingsOverrides, vary: SettingsOverrides | None = None
) -> Space:
    """Collects what a search varies.

    Args:
        preset: Name of the search preset.
        overrides: What the user set: it is not varied.
        vary: Further settings to vary, each with a list of values.

    Raises:
        ConfigError: Nothing is left to vary, or choices contradict each other or the user's settings.
    """
    space: dict[str, SearchRange | SearchChoices] = {}
    settings = resolve(overrides)
    for section, field in RunSettings.model_fields.items():
        fixed = overrides.tree.get(section) or {}
        for name, inner in getattr(field.annotation, "model_fields", {}).items():
            found = _metadata(inner)
            if found and preset in found.presets and name not in fixed:
                start = getattr(getattr(settings, section), name)
                chosen = found if isinstance(found, SearchRange) else _include(found, start)
                space[f"{section}.{name}"] = chosen
    space |= _read_choices(vary or SettingsOverrides(), settings)
    if not space:
        raise ConfigError("every setting that a search varies is set", remedy="set fewer settings")
    _check(space, overrides)
    return space


def suggest(trial: Trial, space: Space) -> dict[str, Value]:
    """Draws a value for each setting; ranges are drawn on a logarithmic scale."""
    values: dict[str, Value] = {}
    for key, varied in space.items():
        if isinstance(varied, SearchRange):
            values[key] = trial.suggest_float(key, varied.low, varied.high, log=True)
        else:
            value = trial.suggest_categorical(key, varied.values)
            assert value is not None
            values[key] = value
    return values


def starting_values(space: Space, settings: RunSettings) -> dict[str, Value]:
    """The values that the settings have without a search; one outside its range is moved to the border."""
    values = {}
    for key, varied in space.items():
        section, name = key.split(".")
        value = getattr(getattr(settings, section), name)
        values[key] = min(max(value, varied.low), varied.high) if isinstance(varied, SearchRange) else value
    return values


def with_values(overrides: SettingsOverrides, values: Mapping[str, Value]) -> SettingsOverrides:
    """The user's settings with those of a trial."""
    for key, value in values.items():
        section, name = key.split(".")
        overrides = overrides.merge(SettingsOverrides({section: {name: value}}))
    return overrides


def _metadata(field: FieldInfo) -> SearchRange | SearchChoices | None:
    kinds = (SearchRange, SearchChoices)
    return next((item for item in field.metadata if isinstance(item, kinds)), None)


def _include(choices: SearchChoices, start: Value) -> SearchChoices:
    """The choices with the starting value among them: a preset of the settings may have another one."""
    if start in choices.values:
        return choices
    return SearchChoices((start, *choices.values), choices.presets)


def _read_choices(vary: SettingsOverrides, settings: RunSettings) -> dict[str, SearchChoices]:
    """The choices that the user gives for settings, e.g. ``model.image_size: [128, 224]``."""
    space = {}
    for section, keys in vary.tree.items():
        for name, values in (keys if isinstance(keys, Mapping) else {"": keys}).items():
            key = f"{section}.{name}".rstrip(".")
            if not name or not _is_list_of_values(values):
                what = f"cannot vary {key} by {values!r}"
                raise ConfigError(what, remedy="give a list, e.g. --vary 'model.image_size=[128, 224]'")
            for value in values:  # an unknown key, or a value out of range
                resolve(SettingsOverrides({section: {name: value}}))
            _refuse_unused(section, name)
            start = getattr(getattr(settings, section), name)
            space[key] = _include(SearchChoices(tuple(values)), start)
    return space


def _refuse_unused(section: str, name: str) -> None:
    """Refuses a setting that no trial reads: its values would be told apart by chance alone."""
    if section not in _SEARCHED or (section == "training" and name in PLACEMENT):
        what = f"cannot vary {section}.{name}: it does not change what a trial learns"
        remedy = f"vary settings of the sections {' and '.join(_SEARCHED)}; --set gives this one a value"
        raise ConfigError(what, remedy=remedy)


def _is_list_of_values(values: object) -> bool:
    known = (str, int, float)
    return isinstance(values, list) and bool(values) and all(isinstance(value, known) for value in values)


def _check(space: Space, overrides: SettingsOverrides) -> None:
    """Resolves every pair of choices: a contradiction is found before anything is computed."""
    choices = [(key, varied.values) for key, varied in space.items() if isinstance(varied, SearchChoices)]
    pairs = itertools.combinations(choices, 2) if len(choices) > 1 else [choices]
    for pair in pairs:
        keys = [key for key, _ in pair]
        for values in itertools.product(*(values for _, values in pair)):
            _check_values(overrides, dict(zip(keys, values, strict=True)))


def _check_values(overrides: SettingsOverrides, values: Mapping[str, Value]) -> None:
    try:
        resolve(with_values(overrides, values))
    except ConfigError as error:
        tried = ", ".join(f"{key}={value}" for key, value in values.items())
        remedy = "set what contradicts, which is then not varied, e.g. --set training.strategy=partial"
        raise ConfigError(f"the search would try {tried}: {error.message}", remedy=remedy) from error
