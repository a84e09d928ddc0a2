"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    str | None,
    typer.Option(help="Class folders of photos, or s3://bucket/prefix. Without it, leaves are drawn."),
]

ConfigOption = Annotated[Path | None, typer.Option(help="YAML file of settings.")]

SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; repeatable.")
]

ExternalDataOption = Annotated[
    str,
    typer.Option(help="External test set: class folders of labelled photos from another place or camera."),
]

OutputOption = Annotated[Path, typer.Option(help="Folder of the run; give it again to resume.")]


def with_external_data(settings: list[str] | None, external_data: str) -> list[str]:
    """Returns the assignments of ``--set`` with that of ``--external-data``, quoted as YAML."""
    assignments = list(settings or [])
    if external_data:
        assignments.append(f"evaluation.external_data={json.dumps(external_data)}")
    return assignments
