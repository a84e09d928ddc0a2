"""Reads settings: a preset, then a YAML file, then ``key=value`` overrides, each on top of the last.

Every refusal names the key, the value, what is allowed, and the nearest valid name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from phytoflow.config.presets import PRESETS
from phytoflow.config.settings import Settings
from phytoflow.errors import ConfigError, nearest_name

_S = TypeVar("_S", bound=BaseModel)
_Tree = dict[str, Any]


def load_settings(file: Path | None = None, overrides: Iterable[str] = ()) -> Settings:
    """Reads and checks the settings of a run.

    Args:
        file: YAML file; sections and keys as in ``phytoflow.config.settings.Settings``.
        overrides: ``section.key=value`` texts; values are YAML, so lists and numbers work.

    Raises:
        ConfigError: An unknown key, a value out of range, or an unreadable file.
    """
    return resolve(read_tree(file, overrides))


def read_tree(file: Path | None = None, overrides: Iterable[str] = ()) -> _Tree:
    """What the user said, unchecked: the file with the overrides on top; raises ConfigError."""
    tree = _read(file) if file else {}
    for text in overrides:
        _lay(tree, text)
    return tree


def resolve(tree: Mapping[str, Any]) -> Settings:
    """Lays explicit settings over those of their preset, and checks all; raises ConfigError."""
    preset = tree.get("preset", "default")
    if preset not in PRESETS:
        raise ConfigError(_unknown("preset", str(preset), PRESETS), remedy=_nearest(str(preset), PRESETS))
    return validate(Settings, _merge(PRESETS[preset], tree))


def validate(model: type[_S], tree: Mapping[str, Any]) -> _S:
    """Checks a tree of settings against its model; raises ConfigError that lists every fault."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        faults = [_explain(model, fault) for fault in error.errors()]
        raise ConfigError("\n".join(faults), remedy="see `phytoflow settings` for all keys") from error


def known_keys(model: type[BaseModel] = Settings, prefix: str = "") -> dict[str, str]:
    """Every key with its description, e.g. ``training.cached_views``."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys |= known_keys(inner, f"{prefix}{name}.")
        else:
            keys[prefix + name] = field.description or ""
    return keys


def describe() -> str:
    """One line a setting: key, default, meaning."""
    defaults, lines = Settings().model_dump(), []
    for key, meaning in known_keys().items():
        value: Any = defaults
        for part in key.split("."):
            value = value[part]
        lines.append(f"{key:34} {value!s:24} {meaning}".rstrip())
    return "\n".join(lines)


def _read(file: Path) -> _Tree:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read settings from {file}: {error}", remedy="give a YAML file") from error
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{file} holds a {type(tree).__name__}, not keys and values", remedy="write `key: value` lines"
        )
    return tree


def _lay(tree: _Tree, text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"cannot read the setting {text!r}", remedy="write key=value, e.g. training.cached_views=2"
        )
    *sections, name = key.strip().split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(
                f"{key}: {section} is a value, not a section", remedy=_nearest(key, known_keys())
            )
    try:
        tree[name] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"{key}: cannot read the value {value!r}", remedy="quote the value") from error


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> _Tree:
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _explain(model: type[BaseModel], fault: Any) -> str:
    key, value = ".".join(str(part) for part in fault["loc"]), fault["input"]
    if fault["type"] == "extra_forbidden":
        return f"unknown setting {key}={value!r}. {_nearest(key, known_keys(model))}"
    described = known_keys(model).get(key, "")
    allowed = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    near = _nearest(
        str(value),
        fault.get("ctx", {}).get("expected", "").replace("'", "").replace(" or ", ", ").split(", "),
    )
    return f"{key}={value!r} is not allowed: must be {allowed}. {near} {described}".rstrip()


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"unknown {what} {name!r}; there are {', '.join(known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """``Did you mean ...?``, by the whole key first and by its last part second."""
    names = [k for k in known if k]
    tails = {k.rsplit(".", 1)[-1]: k for k in names}
    near = nearest_name(name, names) or tails.get(nearest_name(name.rsplit(".", 1)[-1], tails, 0.6), "")
    return f"Did you mean {near}?" if near else ""
