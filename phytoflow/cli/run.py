"""`phytoflow run`: the pipeline on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow import __version__
from phytoflow.cli.options import (
    ConfigOption,
    DataOption,
    ExternalDataOption,
    OutputOption,
    SetOption,
    with_external_data,
)
from phytoflow.outer_packages import make_importable
from phytoflow.steps import STEPS

if TYPE_CHECKING:
    from phytoflow.config.overrides import SettingsOverrides

_PATHS = {
    "evaluation": ("external_data", "external_class_map", "ood_data"),
    "model": ("weights", "hub_url"),
}
"""Settings that name a file or a folder, or may do so."""
_NO_PATHS = ("", "imagenet", "none")


def run(
    data: DataOption = None,
    external_data: ExternalDataOption = "",
    config: ConfigOption = None,
    settings: SetOption = None,
    output: OutputOption = Path("out"),
) -> None:
    """Take photos through every step of the pipeline to an answering predictor.

    The bundle ends up in OUTPUT/bundle, the report in OUTPUT/report.html. Killed at any moment, the same
    command resumes. The predictor keeps running; `phytoflow stop` ends it.
    """
    output = output.absolute()
    print(f"phytoflow {__version__}: {len(STEPS)} steps, logged in {output / 'run.log'}", flush=True)
    run_pipeline(data, config, with_external_data(settings, external_data), output)


def run_pipeline(data: str | None, config: Path | None, assignments: Sequence[str], output: Path) -> None:
    """Runs every step and prints what was done, how good the model is and how to ask it.

    Args:
        data: Class folders of photos; None draws leaves.
        config: YAML file of settings.
        assignments: ``key=value`` texts.
        output: The run's folder.

    Raises:
        ConfigError: A wrong setting, before anything is spent.
        PhytoflowError: What ended the run, in the words of the step that ended it.
    """
    # Imported here, after the first line is printed: on a busy machine they take seconds.
    from phytoflow.cli.run_summary import print_summary
    from phytoflow.config.loader import resolve
    from phytoflow.config.overrides import SettingsOverrides
    from phytoflow.steps.configure import run_parameters

    started = time.monotonic()
    overrides = _with_full_paths(SettingsOverrides.read(config, assignments))
    settings = resolve(overrides)  # refuse a wrong key before leaves are drawn
    source = _full_path(data) if data else str(_draw_sample(output, settings.seed))
    make_importable("pipelines")
    from pipelines.local_runner import run_here

    run_here(output, run_parameters(source, overrides, str(output)))
    print_summary(output, time.monotonic() - started)


def _full_path(place: str) -> str:
    """A local folder or file by its full path: steps need not run where the command did."""
    from phytoflow.storage.uri import is_local, local_path

    return str(local_path(place).resolve()) if is_local(place) else place


def _with_full_paths(overrides: SettingsOverrides) -> SettingsOverrides:
    from phytoflow.config.overrides import SettingsOverrides

    for section, names in _PATHS.items():
        tree = overrides.tree.get(section)
        given = {name: tree[name] for name in names if name in tree} if isinstance(tree, dict) else {}
        paths = {
            name: _full_path(place)
            for name, place in given.items()
            if isinstance(place, str) and place not in _NO_PATHS
        }
        overrides = overrides.merge(SettingsOverrides({section: paths} if paths else {}))
    return overrides


def _draw_sample(output: Path, seed: int) -> Path:
    from phytoflow.data.synthetic.dataset import make_synthetic_dataset

    folder = output / f"sample-{seed}"
    if not folder.is_dir():
        make_synthetic_dataset(folder, seed=seed)
    return folder
