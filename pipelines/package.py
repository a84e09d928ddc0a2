"""The pipeline as a file: what ``kfp run create`` and the Kubeflow UI take."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml
from kfp import compiler

from phytoflow.storage.atomic import atomic_file
from pipelines.compile_options import CompileOptions
from pipelines.training import NAME, build


def write_package(output: Path, options: CompileOptions) -> Path:
    """Compiles the pipeline to a file, whole or not at all.

    Args:
        output: File to write; kfp wants the suffix .yaml.
        options: Images, sizes and placement.

    Returns:
        Path of the file.
    """
    target = output if output.suffix in (".yaml", ".yml") else output.with_name(f"{output.name}.yaml")
    with atomic_file(target) as aside:
        temporary = aside.with_name(f"{aside.name}.yaml")
        compiler.Compiler().compile(build(options), str(temporary))
        list(yaml.safe_load_all(temporary.read_text()))  # what kfp wrote is YAML, or nothing is delivered
        temporary.replace(aside)
    return target


def submit_command(package: Path) -> str:
    """Returns the kfp command that starts a run of a compiled pipeline; the reader fills in the capitals."""
    command = f"kfp --endpoint ADDRESS run create -e {NAME} -f {shlex.quote(str(package))}"
    return f"{command} data=sample output=s3://BUCKET/PREFIX"
