"""`phytoflow gateway`: the gateway's own commands, which live with it."""

from __future__ import annotations

import typer

from phytoflow.outer_packages import make_importable


def _load() -> typer.Typer:
    make_importable("serving")
    from serving.gateway.command import app as commands

    return commands


app = _load()
