"""What settings there are: key, default, what is allowed, and meaning. Lists and documents come from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from phytoflow.config.settings import RunSettings


@dataclass(frozen=True)
class SettingReference:
    """One setting.

    Attributes:
        key: With its section, e.g. ``training.cached_views``.
        default: Value where nothing is set.
        allowed: Type with its range, or the choices, e.g. ``"integer, at least 1"``.
        meaning: One or two sentences.
    """

    key: str
    default: Any
    allowed: str
    meaning: str


@dataclass(frozen=True)
class SectionReference:
    """The settings of one section.

    Attributes:
        name: Of the section; empty for the keys that stand in none.
        meaning: One sentence.
        settings: In the order of the code.
    """

    name: str
    meaning: str
    settings: tuple[SettingReference, ...]


def references(model: type[BaseModel] = RunSettings) -> list[SectionReference]:
    """Returns every section with its settings, the keys without section first."""
    plain = tuple(
        _reference(name, field) for name, field in model.model_fields.items() if not _section(field)
    )
    sections = [SectionReference("", _summary(model), plain)]
    for name, field in model.model_fields.items():
        if inner := _section(field):
            inside = [_reference(f"{name}.{key}", value) for key, value in inner.model_fields.items()]
            sections.append(SectionReference(name, _summary(inner), tuple(inside)))
    return sections


def known_settings(model: type[BaseModel] = RunSettings) -> dict[str, SettingReference]:
    """Returns every setting by its key, e.g. ``training.cached_views``."""
    return {setting.key: setting for part in references(model) for setting in part.settings}


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


def _reference(key: str, field: FieldInfo) -> SettingReference:
    default = field.get_default(call_default_factory=True)
    return SettingReference(key, default, _allowed(field), field.description or "")


def _allowed(field: FieldInfo) -> str:
    return ", ".join([_kind(field.annotation), *_limits(field.metadata)])


def _kind(annotation: Any) -> str:
    """A type in words; the choices of a Literal."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([_kind(inner[0]), *_limits(inner[1:])])
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join(_kind(kind) if kind is not NoneType else "null" for kind in inner)
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "mapping"
    return {bool: "true | false", int: "integer", float: "number", str: "text", Path: "path"}[annotation]


def _limits(metadata: Any) -> Iterator[str]:
    for limit in metadata:
        match limit:
            case annotated_types.Ge(ge=value):
                yield f"at least {value}"
            case annotated_types.Gt(gt=value):
                yield f"above {value}"
            case annotated_types.Le(le=value):
                yield f"at most {value}"
            case annotated_types.Lt(lt=value):
                yield f"below {value}"
            case FieldInfo():
                yield from _limits(limit.metadata)
            case _ if pattern := getattr(limit, "pattern", None):
                yield f"like {pattern}"
