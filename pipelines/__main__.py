"""`python -m pipelines compile`: the pipeline as the YAML that `kfp run create` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml
from kfp import compiler

from phytoflow.storage.atomic import atomic_file
from pipelines.options import CompileOptions
from pipelines.training import build

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.callback()
def _group() -> None:
    """Keeps `compile` a sub-command although it is, so far, the only one."""


@app.command("compile")
def compile_pipeline(
    output: Annotated[Path, typer.Option(help="File to write.")] = Path("pipeline.yaml"),
    image: Annotated[str, typer.Option(help="Image of every step, with its tag.")] = CompileOptions().image,
    accelerators: Annotated[int, typer.Option(min=0, help="GPUs of the training step.")] = 0,
    accelerator_type: Annotated[str, typer.Option(help="Its resource name.")] = "nvidia.com/gpu",
    node_selector: Annotated[str, typer.Option(help='JSON, e.g. {"gpu": "a100"}.')] = "{}",
    toleration: Annotated[list[str] | None, typer.Option(help="Taint key to tolerate; repeatable.")] = None,
) -> None:
    """Compile the pipeline; what is chosen here cannot be a run's parameter."""
    options = CompileOptions(
        image=image,
        accelerators=accelerators,
        accelerator_type=accelerator_type,
        node_selector=json.loads(node_selector),
        tolerations=tuple(toleration or ()),
    )
    write(output, options)
    typer.echo(f"wrote {output}; submit it with `kfp run create -f {output}`")


def write(output: Path, options: CompileOptions) -> None:
    """Compiles to a file, whole or not at all."""
    with atomic_file(output.with_suffix(".yaml")) as aside:
        temporary = aside.with_name(aside.name + ".yaml")
        compiler.Compiler().compile(build(options), str(temporary))
        list(yaml.safe_load_all(temporary.read_text()))  # what kfp wrote is YAML, or nothing is delivered
        temporary.replace(aside)


if __name__ == "__main__":
    app()
