"""The page of settings and presets."""

from __future__ import annotations

import yaml

from phytoflow.config.presets import PRESETS
from phytoflow.config.reference import SectionReference, references
from scripts.generate_docs.markdown import NOTE, cell, table, value

_INTRODUCTION = """# Settings

Settings are given as `--set KEY=VALUE`, repeatedly, or in a YAML file with `--config FILE`. The order is
preset, file, `--set`; later ones win. `phytoflow settings --format yaml` writes such a file with every
default.
"""


def configuration() -> str:
    """The settings of a run, section by section, and the presets."""
    presets = "".join(f"\n```yaml\n{_preset(name)}```\n" for name in PRESETS)
    sections = map(_section, references())
    return "\n".join([NOTE, _INTRODUCTION, *sections, f"## Presets\n\nWhat each `preset` sets:\n{presets}"])


def _section(section: SectionReference) -> str:
    rows = ([f"`{s.key}`", cell(s.meaning), _allowed(s.allowed), value(s.default)] for s in section.settings)
    title = f"## {section.name}\n\n{section.meaning}\n\n" if section.name else ""
    return title + table(["setting", "meaning", "allowed", "default"], rows)


def _allowed(text: str) -> str:
    """What a setting takes; a regular expression is code."""
    kind, like, pattern = text.partition("like ")
    return cell(f"{kind}{like}`{pattern}`" if like else text)


def _preset(name: str) -> str:
    lines = yaml.safe_dump(PRESETS[name]).splitlines() if PRESETS[name] else ["nothing"]
    return f"preset: {name}\n" + "".join(f"# {line}\n" for line in lines)
