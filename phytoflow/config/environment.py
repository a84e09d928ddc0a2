"""Environment variables that stand for keys of a settings file, as a Deployment and its Secrets set them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from phytoflow.config.overrides import Tree
from phytoflow.errors import ConfigError

_FILE_SUFFIX = "__FILE"


def set_from_environment(tree: Tree, prefix: str, environment: Mapping[str, str]) -> None:
    """Writes what variables say over what a file said.

    Args:
        tree: Settings by section and key; changed.
        prefix: With ``PHYTOFLOW_GATEWAY__`` the variable ``PHYTOFLOW_GATEWAY__DATABASE__URL`` is the key
            ``url`` of the section ``database``. With ``__FILE`` at its end a variable names the file that
            holds the value, e.g. a mounted secret.
        environment: Variables; their values are YAML.

    Raises:
        ConfigError: A named file cannot be read.
    """
    for name, value in environment.items():
        if name.startswith(prefix):
            if name.endswith(_FILE_SUFFIX):
                name, value = name.removesuffix(_FILE_SUFFIX), _read_secret(name, Path(value))
            _set(tree, name.removeprefix(prefix).lower().split("__"), value)


def _read_secret(variable: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{variable}: cannot read {file}: {error}", remedy="name a readable file"
        ) from error


def _set(tree: dict[str, Any], path: list[str], value: str) -> None:
    *sections, name = path
    for section in sections:
        tree = tree.setdefault(section, {})
    # A URL or a path is a text, whatever YAML makes of it; numbers, lists and booleans are read.
    tree[name] = yaml.safe_load(value) if value[:1] in "[{" or value.replace(".", "", 1).isdigit() else value
