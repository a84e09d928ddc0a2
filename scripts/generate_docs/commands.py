"""The page of commands."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from phytoflow.cli.main import app
from scripts.generate_docs.markdown import NOTE, cell, table, value

_INTRODUCTION = """# Commands

`phytoflow --help` and `phytoflow COMMAND --help` show the same. `phytoflow --install-completion` installs
completion for your shell. [Exit codes](exit-codes.md) are the same for all commands.
"""


def commands() -> str:
    """Every command with its arguments and options."""
    return "\n".join([NOTE, _INTRODUCTION, *_walk(typer.main.get_command(app), "phytoflow")])


def _walk(command: Any, path: str) -> Iterator[str]:
    if not hasattr(command, "list_commands"):
        yield _command(command, path)
        return
    context = command.make_context(path, [], resilient_parsing=True)
    for name in command.list_commands(context):
        yield from _walk(command.get_command(context, name), f"{path} {name}")


def _command(command: Any, path: str) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([path, *(_argument(p) for p in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [[_names(p), cell(p.help or ""), _default(p)] for p in [*arguments, *options]]
    parameters = table(["", "meaning", "default"], rows) if rows else ""
    meaning = textwrap.dedent(command.help or "").strip()
    return f"## {path}\n\n```text\n{usage}\n```\n\n{meaning}\n\n{parameters}"


def _argument(parameter: Any) -> str:
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])


def _default(parameter: Any) -> str:
    default = parameter.default
    if parameter.required:
        return "required"
    return "" if default is None or callable(default) or parameter.multiple else value(default)
