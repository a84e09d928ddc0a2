"""The page of settings and presets."""

from __future__ import annotations

import yaml

from phytoflow.config.presets import PRESETS
from phytoflow.config.reference import SectionReference, references
from phytoflow.watch import settings as watch
from scripts.generate_docs.markdown import NOTE, cell, table, value
from serving.gateway import settings as gateway

_INTRODUCTION = """# Settings

Settings are given as `--set KEY=VALUE`, repeatedly, or in a YAML file with `--config FILE`. The order is
preset, file, `--set`; later ones win. `phytoflow settings --format yaml` writes such a file with every
default.
"""
_SERVICE = """# Settings of gateway and watch

Both read a YAML file with these keys: `phytoflow gateway serve --config FILE` and `phytoflow watch FILE`. An
environment variable wins over the file. It is the prefix and the key with two underscores for each dot, for
instance `{example}`. With `__FILE` at its end it names a file that holds the value.

The keys of the gateway's section `rollout` are also those of the option `--thresholds` of
`phytoflow rollout start` and `run`. `phytoflow stack up` writes the gateway's file itself.
"""


def service_settings() -> str:
    """The settings of the gateway and of `phytoflow watch`."""
    example = f"{watch.ENVIRONMENT_PREFIX}LIMITS__COOL_DOWN_HOURS=6"
    parts = [NOTE, _SERVICE.format(example=example)]
    for name, model, prefix in (
        ("Gateway", gateway.GatewaySettings, gateway.ENVIRONMENT_PREFIX),
        ("Watch", watch.WatchSettings, watch.ENVIRONMENT_PREFIX),
    ):
        title = f"## {name}\n\nPrefix of the environment variables: `{prefix}`.\n"
        parts += [title, *(_section(one, f"{name}: {one.name}") for one in references(model))]
    return "\n".join(parts)


def configuration() -> str:
    """The settings of a run, section by section, and the presets."""
    presets = "".join(f"\n```yaml\n{_preset(name)}```\n" for name in PRESETS)
    sections = map(_section, references())
    return "\n".join([NOTE, _INTRODUCTION, *sections, f"## Presets\n\nWhat each `preset` sets:\n{presets}"])


def _section(section: SectionReference, heading: str = "") -> str:
    rows = ([f"`{s.key}`", cell(s.meaning), _allowed(s.allowed), value(s.default)] for s in section.settings)
    title = f"## {heading or section.name}\n\n{section.meaning}\n\n" if section.name else ""
    return title + table(["setting", "meaning", "allowed", "default"], rows)


def _allowed(text: str) -> str:
    """What a setting takes; a regular expression is code."""
    kind, like, pattern = text.partition("like ")
    return cell(f"{kind}{like}`{pattern}`" if like else text)


def _preset(name: str) -> str:
    lines = yaml.safe_dump(PRESETS[name]).splitlines() if PRESETS[name] else ["nothing"]
    return f"preset: {name}\n" + "".join(f"# {line}\n" for line in lines)
