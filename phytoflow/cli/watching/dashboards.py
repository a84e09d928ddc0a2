"""`phytoflow dashboards`: dashboards, rules and routes as files for Grafana, Prometheus and Alertmanager."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer


def dashboards(
    directory: Annotated[Path, typer.Argument(help="Folder to write.")] = Path("monitoring"),
    webhook: Annotated[str, typer.Option(help="URL that Alertmanager posts alerts to.")] = "",
) -> None:
    """Write dashboards for Grafana, rules for Prometheus, and a configuration for Alertmanager."""
    from phytoflow.alerts.alertmanager import render_config
    from phytoflow.alerts.catalogue import GROUPS
    from phytoflow.alerts.prometheus import render_rule_file
    from phytoflow.dashboards.catalogue import DASHBOARDS
    from phytoflow.dashboards.grafana import render_json
    from phytoflow.errors import ConfigError
    from phytoflow.storage.atomic import atomic_file

    if webhook and not (urlsplit(webhook).scheme in ("http", "https") and urlsplit(webhook).hostname):
        raise ConfigError(f"--webhook {webhook} is no URL", remedy="give one with http:// or https://")
    files = {f"{one.uid}.json": render_json(one) for one in DASHBOARDS}
    files |= {"rules.yaml": render_rule_file(GROUPS), "alertmanager.yaml": render_config(webhook)}
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with atomic_file(directory / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
        typer.echo(str(directory / name))
