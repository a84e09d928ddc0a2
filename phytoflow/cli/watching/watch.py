"""`phytoflow watch`: starts trainings and deployments by itself, and says what it did."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phytoflow.cli.options import ConfigOption, SetOption

if TYPE_CHECKING:
    from phytoflow.watch.audit import AuditLog
    from phytoflow.watch.settings import WatchSettings
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
    triggers = build_triggers(chosen, pipeline.tracking, pipeline.data)
    watcher = Watcher(chosen, triggers, audit, dry_run=dry_run)
    try:
        asyncio.run(_until_terminated(watcher.run(once=once) if once or dry_run else _serve(watcher, chosen)))
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """SIGTERM ends the command that runs and gives the lease back; a container's first process needs this."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work


async def _serve(watcher: Watcher, settings: WatchSettings) -> None:
    from phytoflow.watch.listener import answering
    from phytoflow.watch.metrics import build_status
    from phytoflow.watch.webhook import listening, read_secret

    async with contextlib.AsyncExitStack() as servers:
        if settings.metrics:
            status = build_status(lambda: watcher.last_look, settings.every_seconds)
            await servers.enter_async_context(answering(settings.metrics, status))
        if settings.webhook.address:
            secret = read_secret(settings.webhook.secret_file)
            hooks = listening(settings.webhook.address, secret, lambda _: watcher.wake())
            await servers.enter_async_context(hooks)
        await watcher.run()


async def _print_log(audit: AuditLog) -> None:
    await audit.open()
    for event in await audit.events():
        words = [f"{event.created:%Y-%m-%d %H:%M}", event.action, event.state, event.trigger, event.key]
        typer.echo("  ".join([f"{event.id:4}", *words, event.reason]).rstrip())
    await audit.close()
