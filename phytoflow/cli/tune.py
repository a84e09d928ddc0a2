"""`phytoflow tune`: searches for better settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.cli.steps import prepare_once
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.steps.settings import PreprocessStepSettings
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.system.threads import make_idle_openmp_threads_sleep

if TYPE_CHECKING:
    from phytoflow.tuning.conclude import Result


def tune(
    data: Annotated[str, typer.Option(help="Class folders of photos, or a dataset made from them.")],
    output: Annotated[Path, typer.Option(help="Folder of the search; give it again to go on with it.")],
    preset: Annotated[
        Literal["quick", "full"], typer.Option(help="How many settings are varied, and the default budget.")
    ] = "quick",
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials, over all runs of this search. Default: 12, full: 100.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1, help="Time of all trials and of the comparison. Default: 600 for quick, none for full."
        ),
    ] = None,
    cpu_hours: Annotated[float | None, typer.Option(min=0.001, help="Processor time of all trials.")] = None,
    photos: Annotated[
        int | None,
        typer.Option(min=0, help="Photos of the trials; 0: all. Default: 600 for quick, else 0."),
    ] = None,
    max_milliseconds: Annotated[
        float, typer.Option(min=0, help="Longest time of one photo in PyTorch on this CPU; 0: no limit.")
    ] = 0,
    max_megabytes: Annotated[
        float, typer.Option(min=0, help="Largest size of the network's weights; 0: no limit.")
    ] = 0,
    multi_objective: Annotated[
        bool, typer.Option(help="Draw trials for low latency and small size too.")
    ] = False,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=[VALUES]", help="Another setting to vary, with its values; repeatable."),
    ] = None,
    storage: Annotated[
        str,
        typer.Option(
            envvar=STUDY_STORAGE,
            help="Study that several workers share: a database's address, or journal:///FILE.",
        ),
    ] = "",
    worker: Annotated[
        str, typer.Option(help="Name of this worker; each has its own name and --output.")
    ] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Search for better settings; the best are in OUTPUT/best.yaml, for --config of a run.

    Settings that --config or --set give are kept as they are; others are varied. The first trial has the
    starting settings. It and the best trial are compared once, on test photos that no trial has seen. After a
    kill, the same command goes on.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tuning.search import search
    from phytoflow.tuning.settings import SearchSettings
    from phytoflow.tuning.study import StudyPlace

    options = SearchSettings(
        preset=preset,
        trials=trials,
        seconds=seconds,
        cpu_hours=cpu_hours,
        photos=photos,
        max_milliseconds=max_milliseconds,
        max_megabytes=max_megabytes,
        multi_objective=multi_objective,
        vary=tuple(vary or []),
    )
    plan = options.plan(SettingsOverrides.read(config, settings or []))
    place = StudyPlace(storage, worker=worker) if storage else None
    with exclusive_folder(output):
        folder = Path(data)
        if not (folder / "dataset.json").exists():
            folder = output / "dataset"
            prepare_once(data, PreprocessStepSettings.of(plan.largest_settings), folder)
        result = search(Dataset.open(folder), plan, output, place)
    _report(result, output)


def _report(result: Result, output: Path) -> None:
    from phytoflow.tuning.conclude import BEST_FILE, PAGE_FILE

    typer.echo(result.describe())
    typer.echo(f"settings: {output / BEST_FILE}, for phytoflow run --config; report: {output / PAGE_FILE}")
