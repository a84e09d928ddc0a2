"""`phytoflow watch`: starts trainings and deployments by itself, and says what it did."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phytoflow.cli.options import ConfigOption, SetOption

if TYPE_CHECKING:
    from phytoflow.watch.audit import AuditLog
    from phytoflow.watch.settings import WebhookSettings
    from phytoflow.watch.watcher import Watcher


def watch(
    file: Annotated[Path, typer.Argument(help="YAML file of triggers, limits and commands.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would start; start and record nothing.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Look once instead of for ever.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Print the audit log and end.")] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Train and deploy on a schedule, for new photos, corrections, alarms or a new champion."""
    from phytoflow.config.loader import load_settings
    from phytoflow.watch.audit import AuditLog
    from phytoflow.watch.metrics import serve_metrics
    from phytoflow.watch.settings import load_watch_settings
    from phytoflow.watch.triggers import build_triggers
    from phytoflow.watch.watcher import Watcher

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen, pipeline = load_watch_settings(file), load_settings(config, settings or [])
    chosen.folder.mkdir(parents=True, exist_ok=True)
    audit = AuditLog(chosen.database_url)
    if log:
        asyncio.run(_print_log(audit))
        return
    if chosen.metrics:
        serve_metrics(chosen.metrics)
    triggers = build_triggers(chosen, pipeline.tracking, pipeline.data)
    asyncio.run(_watch(Watcher(chosen, triggers, audit, dry_run=dry_run), chosen.webhook, once=once))


async def _watch(watcher: Watcher, webhook: WebhookSettings, *, once: bool) -> None:
    from phytoflow.watch.webhook import listening, read_secret

    if once or not webhook.address:
        await watcher.run(once=once)
        return
    async with listening(webhook.address, read_secret(webhook.secret_file), lambda _: watcher.wake()):
        await watcher.run()


async def _print_log(audit: AuditLog) -> None:
    await audit.open()
    for event in await audit.events():
        words = [f"{event.created:%Y-%m-%d %H:%M}", event.action, event.state, event.trigger, event.key]
        typer.echo("  ".join([f"{event.id:4}", *words, event.reason]).rstrip())
    await audit.close()
