"""The pipeline as a file: what ``kfp run create`` and the Kubeflow UI take."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from kfp import compiler

from phytoflow.storage.atomic import atomic_file
from pipelines import search, training
from pipelines.compile_options import CompileOptions


def write_package(output: Path, options: CompileOptions) -> Path:
    """Compiles the pipeline, or with workers that which searches first, to a file: whole or not at all.

    Args:
        output: File to write; kfp wants the suffix .yaml.
        options: Images, sizes and placement.

    Returns:
        Path of the file.
    """
    target = output if output.suffix in (".yaml", ".yml") else output.with_name(f"{output.name}.yaml")
    with atomic_file(target) as aside:
        temporary = aside.with_name(f"{aside.name}.yaml")
        # kfp reads the whole stack for each setting of each task: a thread's is short, a notebook's is not.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_compile, options, temporary).result()
        list(yaml.safe_load_all(temporary.read_text()))  # what kfp wrote is YAML, or nothing is delivered
        temporary.replace(aside)
    return target


def _compile(options: CompileOptions, target: Path) -> None:
    build = search.build if options.workers else training.build
    compiler.Compiler().compile(build(options), str(target))


def submit_command(package: Path) -> str:
    """Returns the kfp command that starts a run of a compiled pipeline; the reader fills in the capitals."""
    command = f"kfp --endpoint ADDRESS run create -e {training.NAME} -f {shlex.quote(str(package))}"
    return f"{command} data=sample output=s3://BUCKET/PREFIX"
