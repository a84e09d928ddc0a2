"""The `phytoflow` command: the composition root, and the one edge where errors become exit codes.

Exit codes: 0 done; 1 unforeseen; 2 a wrong setting or argument; 3 unusable photos; 4 no pretrained weights;
5 storage; 6 MLflow; 7 a broken bundle; 8 an export that answers otherwise; 10 refused by the gate;
11 the predictor did not start or answers wrongly; 12 not published on the cluster; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from phytoflow.cli.data import app as data_app
from phytoflow.cli.deploy import deploy, rollback, status
from phytoflow.cli.options import ConfigOption, DataOption, SetOption
from phytoflow.cli.steps import ExternalDataOption, compare, evaluate, export, train, with_external_data
from phytoflow.console import run_command
from phytoflow.deploy.local.process import PREDICTOR_MODULE
from phytoflow.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a folder of leaf photographs to an answering predictor.",
)
app.add_typer(data_app, name="data", help="Draw, download and check photographs.")
app.command()(train)
app.command()(export)
app.command()(evaluate)
app.command()(compare)
app.command()(deploy)
app.command()(status)
app.command()(rollback)

OUTER = Path(__file__).resolve().parents[2]
"""The checkout or image that holds `pipelines` and `serving` beside this package."""


@app.command()
def run(
    data: DataOption = None,
    external_data: ExternalDataOption = "",
    config: ConfigOption = None,
    settings: SetOption = None,
    output: Annotated[Path, typer.Option(help="Folder of the run; give it again to resume.")] = Path("out"),
) -> None:
    """Take photos through every step of the pipeline to an answering predictor.

    The bundle ends up in OUTPUT/bundle, the report in OUTPUT/report.html. Killed at any moment, the same
    command goes on where it was. The predictor keeps running; `phytoflow stop` ends it.
    """
    from phytoflow.cli.run import run as run_pipeline

    _reach("pipelines")
    run_pipeline(data, config, with_external_data(settings, external_data), output)


@app.command()
def serve(
    bundle: Annotated[str, typer.Option(help="Folder or s3:// prefix of a bundle.")],
    http_port: Annotated[int, typer.Option(help="Port of REST (V2, V1) and /metrics.")] = 8080,
    grpc_port: Annotated[int, typer.Option(help="Port of gRPC (V2).")] = 8081,
    name: Annotated[str, typer.Option(help="Name of the served model; the bundle's own if empty.")] = "",
    runtime: Annotated[str, typer.Option(help="auto, onnx, openvino or torchscript.")] = "auto",
) -> None:
    """Answer with a bundle, in the foreground, until stopped (Ctrl-C or SIGTERM)."""
    _reach("serving")
    command = [sys.executable, "-m", PREDICTOR_MODULE, "--bundle", bundle, "--runtime", runtime]
    command += ["--http_port", str(http_port), "--grpc_port", str(grpc_port)]
    command += ["--model_name", name] if name else []
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OUTER), os.environ.get("PYTHONPATH")]))
    os.execv(sys.executable, command)  # the server itself gets the signals, not a parent of it


@app.command()
def stop(output: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("out")) -> None:
    """Stop the predictor that `phytoflow run` left running."""
    from phytoflow.deploy.local.publisher import stop as stop_process

    stopped = stop_process(output / "predictor.json")
    typer.echo("stopped" if stopped else "no predictor of this run is running")


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    url: Annotated[str, typer.Option(help="A running predictor, e.g. http://localhost:8080.")] = "",
    bundle: Annotated[str, typer.Option(help="A bundle, to answer without a server.")] = "",
    model: Annotated[str, typer.Option(help="Name of the served model, with --url.")] = "leaf",
    top_k: Annotated[int, typer.Option(min=1, help="Classes shown for each photo.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a photo.")] = False,
) -> None:
    """Say what is on photographs, with a running predictor or straight from a bundle."""
    from phytoflow.cli.predict import predict as ask

    if bool(url) == bool(bundle):
        raise ConfigError(
            "give either --url or --bundle", remedy="e.g. phytoflow predict leaf.jpg --bundle out/bundle"
        )
    failed = ask(images, url=url, bundle=bundle, model=model, top_k=top_k, as_json=as_json)
    raise typer.Exit(3 if failed else 0)


@app.command()
def settings() -> None:
    """List every setting with its default and meaning."""
    from phytoflow.config.reference import references

    for part in references():
        for setting in part.settings:
            typer.echo(f"{setting.key:34} {setting.default!s:24} {setting.meaning}".rstrip())


def _reach(package: str) -> None:
    """Makes an outer package importable, or says that it is not there."""
    if not (OUTER / package / "__init__.py").exists():
        remedy = "run phytoflow from a checkout of the project (pip install -e), or from its image"
        raise ConfigError(f"the `{package}` folder is not beside the phytoflow package", remedy=remedy)
    if str(OUTER) not in sys.path:
        sys.path.insert(0, str(OUTER))


def main() -> None:
    """Runs the command; an error a user is meant to read is shown as such, without a traceback."""
    run_command(app)


if __name__ == "__main__":
    main()
