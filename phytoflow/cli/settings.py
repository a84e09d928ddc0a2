"""`phytoflow settings`: what can be set, as a list to read or as a file to edit."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer
import yaml
from pydantic_core import to_jsonable_python

from phytoflow import __version__
from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.config.loader import load_settings
from phytoflow.config.reference import SectionReference, SettingReference, references
from phytoflow.errors import ConfigError, nearest_name

_WIDTH = 80
"""Columns of a list and of a YAML file's comments, at most."""


def settings(
    section: Annotated[str, typer.Argument(help="One section only, e.g. training.")] = "",
    form: Annotated[
        Literal["text", "yaml"],
        typer.Option("--format", help="yaml: a file for --config, with every value and its meaning."),
    ] = "text",
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """List every setting with its value, its meaning and what is allowed.

    Values are the defaults, or what --config and --set make of them.
    """
    chosen = load_settings(config, assignments or []).model_dump(mode="json")
    lines = _yaml_lines if form == "yaml" else _text_lines
    typer.echo("\n".join(lines(_select(section), chosen)))


def _select(name: str) -> list[SectionReference]:
    """The section with this name, or all."""
    parts = references()
    if not name:
        return parts
    names = [part.name for part in parts if part.name]
    if name not in names:
        near = nearest_name(name, names)
        remedy = f"Did you mean {near}?" if near else f"there are {', '.join(names)}"
        raise ConfigError(f"there is no section {name!r} of settings", remedy=remedy)
    return [part for part in parts if part.name == name]


def _text_lines(parts: list[SectionReference], chosen: dict[str, Any]) -> Iterator[str]:
    width = min(_WIDTH, shutil.get_terminal_size().columns)
    for part in parts:
        yield from textwrap.wrap(f"{part.name or 'The run'}: {part.meaning}", width)
        for setting in part.settings:
            yield from _wrap(f"{setting.key} = {_assigned(setting, chosen)}", width, "  ", "      ")
            yield from _wrap(f"{setting.meaning} ({setting.allowed})", width, "      ", "      ")
        yield ""


def _yaml_lines(parts: list[SectionReference], chosen: dict[str, Any]) -> Iterator[str]:
    yield f"# Settings of phytoflow {__version__}, for `phytoflow run --config FILE`."
    yield "# Remove lines that you do not change: what stands here wins over the preset."
    for part in parts:
        yield ""
        yield from _wrap(part.meaning, _WIDTH, "# ", "# ")
        indent = "  " if part.name else ""
        if part.name:
            yield f"{part.name}:"
        for setting in part.settings:
            prefix = f"{indent}# "
            yield from _wrap(f"{setting.meaning} ({setting.allowed})", _WIDTH, prefix, prefix)
            yield f"{indent}{setting.key.rpartition('.')[2]}: {_scalar(_value(setting, chosen))}"


def _value(setting: SettingReference, chosen: dict[str, Any]) -> Any:
    section, _, name = setting.key.rpartition(".")
    return chosen[section][name] if section else chosen[name]


def _scalar(value: Any) -> str:
    """A value as YAML on one line, as --set and a file take it."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _assigned(setting: SettingReference, chosen: dict[str, Any]) -> str:
    """The value, and the default where that is another."""
    value, default = _scalar(_value(setting, chosen)), _scalar(to_jsonable_python(setting.default))
    return value if value == default else f"{value}  (default: {default})"


def _wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
