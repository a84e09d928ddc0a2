"""The commands of an event: filled in, and run to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from phytoflow.errors import FolderInUseError
from phytoflow.watch.audit import Event
from phytoflow.watch.settings import WatchSettings


def output_folder(event: Event, settings: WatchSettings) -> Path:
    """Folder of a training or deployment; a rollout's is that of its training."""
    return settings.folder / "runs" / _number(event)


def build_commands(event: Event, settings: WatchSettings) -> list[list[str]]:
    """The commands of an event, in order."""
    templates = {
        "train": (settings.prepare, settings.train),
        "rollout": (settings.rollout,),
        "deploy": (settings.deploy,),
    }
    triggers = settings.triggers
    values = {
        "data": triggers.data,
        "gateway": triggers.gateway,
        "token_file": triggers.token_file,
        "output": str(output_folder(event, settings)),
        "event": _number(event),
        "key": event.key,
    }
    return [[_fill(word, values) for word in template] for template in templates[event.action] if template]


async def run_command(command: Sequence[str], log: Path, poll_seconds: float) -> int:
    """Runs a command and returns its exit code; a run of a killed watcher that goes on is waited for.

    Args:
        command: Program and arguments.
        log: File that its output is appended to.
        poll_seconds: Pause before a run that another one keeps out is tried again.

    Raises:
        OSError: It cannot be started.
    """
    while (code := await _run(command, log)) == FolderInUseError.exit_code:
        await asyncio.sleep(poll_seconds)
    return code


def _number(event: Event) -> str:
    """The number of an event; a rollout has that of its training."""
    return f"{int(event.key) if event.action == 'rollout' else event.id:06d}"


def _fill(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


async def _run(command: Sequence[str], log: Path) -> int:
    """A cancelled watcher ends the command in order, and it is resumed later."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
