"""`phytoflow pipeline`: the pipeline as a file for Kubeflow Pipelines, and runs of it on a backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import make_importable
from phytoflow.steps.configure import run_parameters
from phytoflow.storage.uri import is_local

app = typer.Typer(no_args_is_help=True, help="Compile the pipeline for Kubeflow Pipelines, and submit runs.")


@app.command("compile")
def compile_pipeline(
    output: Annotated[Path, typer.Option(help="File to write.")] = Path("pipeline.yaml"),
    image: Annotated[str, typer.Option(help="Image of every step, with its tag.")] = "",
    parts: Annotated[int, typer.Option(min=1, help="Pods that scan the photos side by side.")] = 1,
    workers: Annotated[
        int, typer.Option(min=0, help="Pods that search for better settings first; 0: no search.")
    ] = 0,
    accelerators: Annotated[int, typer.Option(min=0, help="GPUs of each step that trains.")] = 0,
    accelerator_type: Annotated[str, typer.Option(help="Its resource name.")] = "nvidia.com/gpu",
    node_selector: Annotated[str, typer.Option(help='JSON, e.g. {"gpu": "a100"}.')] = "{}",
    toleration: Annotated[list[str] | None, typer.Option(help="Taint key to tolerate; repeatable.")] = None,
    secret: Annotated[str, typer.Option(help="Secret with the stores' keys.")] = "phytoflow-s3",
    config_map: Annotated[str, typer.Option(help="ConfigMap with their addresses.")] = "phytoflow",
    photos_volume: Annotated[str, typer.Option(help="Volume claim mounted at /photos.")] = "",
    image_pull_policy: Annotated[str, typer.Option(help="Always, IfNotPresent or Never.")] = "",
    run_as_user: Annotated[int | None, typer.Option(min=1, help="User id of every step.")] = None,
) -> None:
    """Compile the pipeline to YAML; what is chosen here cannot be a run's parameter."""
    make_importable("pipelines")
    from phytoflow.config.loader import validate
    from pipelines.compile_options import CompileOptions
    from pipelines.package import submit_command, write_package

    options = {
        "parts": parts,
        "workers": workers,
        "accelerators": accelerators,
        "accelerator_type": accelerator_type,
        "node_selector": _parse_labels(node_selector),
        "tolerations": tuple(toleration or ()),
        "secret": secret,
        "config_map": config_map,
        "photos_volume": photos_volume,
        "image_pull_policy": image_pull_policy,
        "run_as_user": run_as_user,
    }
    target = write_package(output, validate(CompileOptions, options | ({"image": image} if image else {})))
    typer.echo(f"wrote {target}")
    if not image:
        what = "names no image for its steps: it cannot run on a cluster. Give --image NAME:TAG."
        typer.echo(f"WARNING: {target} {what}", err=True)
    typer.echo(f"submit a run:  {submit_command(target)}")


@app.command()
def submit(
    host: Annotated[str, typer.Option(envvar="KFP_HOST", help="Address of Kubeflow Pipelines.")],
    data: Annotated[str, typer.Option(help="Photos: s3://, gs://, https archive, /photos, or sample.")],
    output: Annotated[str, typer.Option(help="s3:// prefix for checkpoints, report and bundle.")],
    pipeline: Annotated[Path, typer.Option(help="What `compile` wrote.")] = Path("pipeline.yaml"),
    config: ConfigOption = None,
    settings: SetOption = None,
    search: Annotated[
        str, typer.Option(help="YAML of a search, for a pipeline with workers, e.g. '{trials: 40}'.")
    ] = "",
    namespace: Annotated[str, typer.Option(help="Profile namespace, if the installation has them.")] = "",
    experiment: Annotated[str, typer.Option(help="Experiment of the run; empty: the pipeline's name.")] = "",
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    cron: Annotated[str, typer.Option(help="Run again and again: six fields, seconds first.")] = "",
    cache: Annotated[bool, typer.Option(help="Take steps already done from KFP's cache.")] = True,
    once: Annotated[
        bool, typer.Option("--once", help="Take the run of this --name if there is one that has not failed.")
    ] = False,
    wait_seconds: Annotated[
        float, typer.Option(min=0, help="Longest wait for the end of the run; 0: do not wait.")
    ] = 0,
) -> None:
    """Submit a run; settings are checked here first. KFP_TOKEN or KFP_COOKIE open a guarded backend."""
    if is_local(output):
        what = f"--output {output} would be a folder of a pod, gone when a step ends"
        raise ConfigError(what, remedy="give --output s3://BUCKET/PREFIX")
    parameters = run_parameters(data, SettingsOverrides.read(config, settings or []), output)
    if search:
        from phytoflow.tuning.settings import SearchSettings

        SearchSettings.parse(search)
        parameters["search"] = search
    make_importable("pipelines")
    from pipelines import submit as backends

    filing: dict[str, Any] = {"name": name, "cron": cron, "cache": cache, "once": once}
    filing |= {"experiment": experiment} if experiment else {}
    backend = backends.connect(host, namespace)
    made = backends.submit(backend, pipeline, parameters, **filing)
    typer.echo(f"{'recurring run' if cron else 'run'} {made.id}: {made.url}")
    if wait_seconds and not cron:
        backends.wait(backend, made.id, wait_seconds)
        typer.echo(f"it succeeded; report and bundle are below {output}")


def _parse_labels(text: str) -> dict[str, str]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        what = f"--node-selector {text!r} is no JSON object: {error}"
        raise ConfigError(what, remedy='e.g. {"gpu": "a100"}') from error
