"""What a user set, in YAML and ``key=value`` assignments, before a preset and defaults fill the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from phytoflow.errors import ConfigError

Tree = dict[str, Any]
"""Settings by section: plain values, and a mapping for each section."""


@dataclass(frozen=True)
class SettingsOverrides:
    """Settings as text says them; keys and values are not checked yet.

    Attributes:
        tree: Values by section and key.
    """

    tree: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None = None, assignments: Iterable[str] = ()) -> SettingsOverrides:
        """Reads a YAML file and lays ``section.key=value`` assignments over it.

        Args:
            file: YAML file, as ``phytoflow settings --format yaml`` writes it.
            assignments: Values are YAML, so lists and numbers work.

        Raises:
            ConfigError: The file cannot be read, or an assignment is none.
        """
        overrides = cls.parse(_read_text(file), str(file)) if file else cls()
        for assignment in assignments:
            overrides = overrides.merge(_parse_assignment(assignment))
        return overrides

    @classmethod
    def parse(cls, text: str, origin: str = "the settings") -> SettingsOverrides:
        """Parses YAML; a dotted key (``training.batch_size: 8``) means the key of that section.

        Args:
            text: YAML; empty text sets nothing.
            origin: Named in errors.

        Raises:
            ConfigError: This is no YAML, no mapping, or sets a key twice.
        """
        try:
            content = yaml.load(text, Loader=_UniqueKeyLoader)  # a SafeLoader: builds plain values only
        except yaml.YAMLError as error:
            raise ConfigError(f"cannot read {origin}: {error}", remedy="write YAML, `key: value`") from error
        if content is None:
            return cls()
        if not isinstance(content, dict):
            what = f"{origin}: this is a {type(content).__name__}, not keys and values"
            raise ConfigError(what, remedy="write `key: value` lines")
        return cls(_nest(content, origin))

    def merge(self, top: SettingsOverrides) -> SettingsOverrides:
        """Returns both, where ``top`` wins."""
        return SettingsOverrides(merge_trees(self.tree, top.tree))

    def to_yaml(self) -> str:
        """Returns the YAML that ``parse`` reads."""
        return yaml.safe_dump(dict(self.tree), allow_unicode=True, sort_keys=False)


def merge_trees(base: Mapping[str, Any], top: Mapping[str, Any]) -> Tree:
    """Returns both trees; a key of a section that both set has the value of ``top``, as a whole."""
    merged = dict(base)
    for name, value in top.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML, but a key that stands twice in a mapping is an error: PyYAML drops the first without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                fault = f"the key {key!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, fault, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # with or without a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read settings from {file}: {error}", remedy="give a YAML file") from error


def _parse_assignment(text: str) -> SettingsOverrides:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        remedy = "write key=value, e.g. training.cached_views=2"
        raise ConfigError(f"cannot read the setting {text!r}", remedy=remedy)
    try:
        return SettingsOverrides(_nest({key.strip(): yaml.safe_load(value)}, text))
    except yaml.YAMLError as error:
        raise ConfigError(f"{key}: cannot read the value {value!r}", remedy="quote the value") from error


def _nest(content: Mapping[Any, Any], origin: str) -> Tree:
    """Turns ``section.key: value`` into ``section: {key: value}``.

    Keys inside a section stay as they are: those of ``deploy.node_selector`` have dots of their own.

    Raises:
        ConfigError: A key is set in both spellings.
    """
    tree: Tree = {}
    for key, value in content.items():
        section, dot, name = str(key).partition(".")
        part = {section: {name: value}} if dot else {section: value}
        if _overlap(tree, part):
            raise ConfigError(f"{origin}: {key} is set twice", remedy="keep one of the two lines")
        tree = merge_trees(tree, part)
    return tree


def _overlap(tree: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    """Whether merging the part into the tree would lose a value."""
    for name in tree.keys() & part.keys():
        old, new = tree[name], part[name]
        if not (isinstance(old, Mapping) and isinstance(new, Mapping)) or old.keys() & new.keys():
            return True
    return False
