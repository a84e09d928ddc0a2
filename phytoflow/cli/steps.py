"""`phytoflow train`, `export`, `evaluate` and `compare`: one step of the pipeline alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from phytoflow.cli.options import (
    ConfigOption,
    ExternalDataOption,
    OutputOption,
    SetOption,
    with_external_data,
)
from phytoflow.config.loader import load_settings
from phytoflow.provenance import code_version
from phytoflow.steps import export as export_step
from phytoflow.steps import preprocess as preprocess_step
from phytoflow.steps import train as train_step
from phytoflow.steps.distributed.processes import check_machines
from phytoflow.steps.settings import ExportStepSettings, PreprocessStepSettings, TrainStepSettings
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.system.torchrun import process_rank, started_by_torchrun


def train(
    data: Annotated[str, typer.Option(help="Class folders of photos, or a dataset made from them.")],
    output: OutputOption = Path("out"),
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Prepare the photos and train; writes OUTPUT/dataset and OUTPUT/model.

    Photos that were prepared before, with the same settings, are not prepared again. Under torchrun the
    first process prepares them and writes; OUTPUT is a folder that all processes see.
    """
    chosen = load_settings(config, settings or [])
    prepared = (Path(data) / "dataset.json").exists()
    dataset = Path(data) if prepared else output / "dataset"
    if process_rank() > 0:
        train_step.train_in_group(str(dataset), TrainStepSettings.of(chosen), output / "model", str(output))
        return
    if not started_by_torchrun():
        check_machines(TrainStepSettings.of(chosen), str(output))
    with exclusive_folder(output):
        if not prepared:
            prepare_once(data, PreprocessStepSettings.of(chosen), dataset)
        train_step.train(dataset, TrainStepSettings.of(chosen), output / "model", str(output))
        train_step.clear_checkpoints(str(output))
    typer.echo(f"trained model in {output / 'model'}; next: phytoflow export --output {output}")


def export(
    output: Annotated[Path, typer.Option(help="Folder that `phytoflow train` wrote.")] = Path("out"),
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Export OUTPUT/model to OUTPUT/bundle; each format is compared with the trained model."""
    chosen = ExportStepSettings.of(load_settings(config, settings or []))
    export_step.export(output / "model", output / "dataset", chosen, output / "bundle")
    typer.echo(f"bundle in {output / 'bundle'}; next: phytoflow serve --bundle {output / 'bundle'}")


def evaluate(
    bundle: Annotated[Path, typer.Option(help="Folder of a bundle.")],
    data: Annotated[Path, typer.Option(help="Class folders of photos the model has not seen.")],
    output: Annotated[Path, typer.Option(help="Folder for metrics.json, report.html and pictures.")],
    external_data: ExternalDataOption = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Measure a bundle on a folder of labelled photos."""
    from phytoflow.data.ingest.class_folders import folder_photos
    from phytoflow.evaluation.evaluate import evaluate as evaluate_bundle
    from phytoflow.evaluation.report.phrases import describe_external

    chosen = load_settings(config, with_external_data(settings, external_data))
    metrics = evaluate_bundle(bundle, folder_photos(data), chosen.evaluation, output, chosen.seed)
    typer.echo(f"accuracy {metrics.accuracy:.3f}, macro-F1 {metrics.macro_f1:.3f} on {metrics.photos} photos")
    if metrics.external:
        typer.echo(describe_external(metrics.external))
    typer.echo(f"report: {output / 'report.html'}")


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    second: Annotated[Path, typer.Argument(help="Folder of another, with the same classes.")],
    data: Annotated[Path, typer.Option(help="Class folders of photos that neither has seen.")],
    html: Annotated[
        Path | None, typer.Option(help="HTML file to write: where the two answer differently.")
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Compare two bundles on the same photos, and test whether the difference is significant."""
    from phytoflow.data.ingest.class_folders import folder_photos
    from phytoflow.evaluation.compare.bundles import compare_bundles, describe_comparison
    from phytoflow.evaluation.compare.page import write_comparison_page

    chosen = load_settings(config, settings or [])
    photos = list(folder_photos(data))
    comparison = compare_bundles(first, second, photos, chosen.evaluation, chosen.seed)
    typer.echo("\n".join(describe_comparison(comparison)))
    if html:
        write_comparison_page(comparison, (first, second), photos, html)
        typer.echo(f"report: {html}")


def prepare_once(data: str, settings: PreprocessStepSettings, dataset: Path) -> None:
    """Makes a dataset, unless it was made of the same photos with the same settings and code."""
    from phytoflow.data.sources.resolve import source_version

    origin = json.dumps([source_version(data), settings.to_json(), code_version()])
    recorded = dataset.with_name(f"{dataset.name}.origin.json")
    if not (dataset / "dataset.json").exists() or not recorded.exists() or recorded.read_text() != origin:
        recorded.unlink(missing_ok=True)
        preprocess_step.preprocess(data, settings, dataset)
        with atomic_file(recorded) as aside:
            aside.write_text(origin)
