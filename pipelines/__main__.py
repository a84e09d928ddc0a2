"""The pipeline as the YAML that `kfp run create` takes, and runs of it on a Kubeflow Pipelines backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml
from kfp import compiler

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.console import run_command
from phytoflow.errors import ConfigError
from phytoflow.steps.configure import run_parameters
from phytoflow.storage.atomic import atomic_file
from pipelines.compile_options import CompileOptions
from pipelines.training import NAME, build

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_DEFAULT = CompileOptions()


@app.command("compile")
def compile_pipeline(
    output: Annotated[Path, typer.Option(help="File to write.")] = Path("pipeline.yaml"),
    image: Annotated[str, typer.Option(help="Image of every step, with its tag.")] = _DEFAULT.image,
    accelerators: Annotated[int, typer.Option(min=0, help="GPUs of the training step.")] = 0,
    accelerator_type: Annotated[str, typer.Option(help="Its resource name.")] = _DEFAULT.accelerator_type,
    node_selector: Annotated[str, typer.Option(help='JSON, e.g. {"gpu": "a100"}.')] = "{}",
    toleration: Annotated[list[str] | None, typer.Option(help="Taint key to tolerate; repeatable.")] = None,
    secret: Annotated[str, typer.Option(help="Secret with the stores' keys.")] = _DEFAULT.secret,
    config_map: Annotated[str, typer.Option(help="ConfigMap with their addresses.")] = _DEFAULT.config_map,
    photos_volume: Annotated[str, typer.Option(help="Volume claim mounted at /photos.")] = "",
    image_pull_policy: Annotated[str, typer.Option(help="Always, IfNotPresent or Never.")] = "",
    run_as_user: Annotated[int | None, typer.Option(help="User id of every step.")] = None,
) -> None:
    """Compile the pipeline; what is chosen here cannot be a run's parameter."""
    options = CompileOptions.model_validate(
        {
            "image": image,
            "accelerators": accelerators,
            "accelerator_type": accelerator_type,
            "node_selector": _labels(node_selector),
            "tolerations": tuple(toleration or ()),
            "secret": secret,
            "config_map": config_map,
            "photos_volume": photos_volume,
            "image_pull_policy": image_pull_policy,
            "run_as_user": run_as_user,
        }
    )
    write(output, options)
    typer.echo(f"wrote {output}; submit it with `kfp run create -f {output}`")


@app.command("submit")
def submit_run(
    host: Annotated[str, typer.Option(envvar="KFP_HOST", help="Address of Kubeflow Pipelines.")],
    data: Annotated[str, typer.Option(help="Photos: s3://, gs://, https archive, /photos, or sample.")],
    output: Annotated[str, typer.Option(help="s3:// prefix for checkpoints, report and bundle.")],
    pipeline: Annotated[Path, typer.Option(help="What `compile` wrote.")] = Path("pipeline.yaml"),
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE; repeatable.")] = None,
    namespace: Annotated[str, typer.Option(help="Profile namespace, if the installation has them.")] = "",
    experiment: Annotated[str, typer.Option(help="Where the run is filed.")] = NAME,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    cron: Annotated[str, typer.Option(help="Run again and again: six fields, seconds first.")] = "",
    cache: Annotated[bool, typer.Option(help="Take steps already done from KFP's cache.")] = True,
    wait_seconds: Annotated[float, typer.Option(help="Wait for its end at most so long; 0: do not.")] = 0,
) -> None:
    """Submit a run; settings are checked here first. KFP_TOKEN or KFP_COOKIE open a guarded backend."""
    from pipelines.submit import connect, submit, wait

    parameters = run_parameters(data, SettingsOverrides.read(config, settings or []), output)
    backend = connect(host, namespace)
    made = submit(backend, pipeline, parameters, experiment=experiment, name=name, cron=cron, cache=cache)
    typer.echo(f"{'recurring run' if cron else 'run'} {made.id}: {made.url}")
    if wait_seconds and not cron:
        wait(backend, made.id, wait_seconds)
        typer.echo(f"it succeeded; report and bundle are below {output}")


def write(output: Path, options: CompileOptions) -> Path:
    """Compiles to a file, whole or not at all; returns its path, which ends in .yaml."""
    target = output.with_suffix(".yaml")
    with atomic_file(target) as aside:
        temporary = aside.with_name(aside.name + ".yaml")
        compiler.Compiler().compile(build(options), str(temporary))
        list(yaml.safe_load_all(temporary.read_text()))  # what kfp wrote is YAML, or nothing is delivered
        temporary.replace(aside)
    return target


def _labels(text: str) -> dict[str, str]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"--node-selector {text!r} is no JSON object: {error}", remedy='e.g. {"gpu": "a100"}'
        ) from error


if __name__ == "__main__":
    run_command(app)
