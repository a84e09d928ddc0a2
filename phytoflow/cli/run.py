"""`phytoflow run`: the pipeline on this machine, and what to tell at the end."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from phytoflow import __version__
from phytoflow.bundle.bundle import Bundle
from phytoflow.cli.options import ConfigOption, DataOption, ExternalDataOption, OutputOption, SetOption
from phytoflow.cli.steps import with_external_data
from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.deploy.local.process import PredictorProcess
from phytoflow.outer_packages import make_importable
from phytoflow.steps import STEPS
from phytoflow.steps.configure import run_parameters
from phytoflow.storage.uri import is_local, local_path
from phytoflow.system.progress import duration

_PATHS = ("external_data", "external_class_map", "ood_data")
"""Settings of the evaluation that name a file or a folder."""


def run(
    data: DataOption = None,
    external_data: ExternalDataOption = "",
    config: ConfigOption = None,
    settings: SetOption = None,
    output: OutputOption = Path("out"),
) -> None:
    """Take photos through every step of the pipeline to an answering predictor.

    The bundle ends up in OUTPUT/bundle, the report in OUTPUT/report.html. Killed at any moment, the same
    command goes on where it was. The predictor keeps running; `phytoflow stop` ends it.
    """
    run_pipeline(data, config, with_external_data(settings, external_data), output)


def run_pipeline(data: str | None, config: Path | None, assignments: Sequence[str], output: Path) -> None:
    """Runs every step and prints what was done, how good it is and how to ask it.

    Args:
        data: Class folders of photos; None draws leaves.
        config: YAML file of settings.
        assignments: ``key=value`` texts.
        output: The run's folder.

    Raises:
        ConfigError: A wrong setting, before anything is spent.
        PhytoflowError: What ended the run, in the words of the step that ended it.
    """
    started, output = time.monotonic(), output.resolve()
    overrides = _with_full_paths(SettingsOverrides.read(config, assignments))
    settings = resolve(overrides)  # refuse a wrong key here, before leaves are drawn
    print(f"phytoflow {__version__}: {len(STEPS)} steps; all they say is in {output / 'run.log'}", flush=True)
    source = _full_path(data) if data else str(_draw_sample(output, settings.seed))
    make_importable("pipelines")
    from pipelines.local_runner import run_here  # after a first line: it takes seconds on a slow disk

    run_here(output, run_parameters(source, overrides, str(output)))
    _print_summary(output, time.monotonic() - started)


def _full_path(place: str) -> str:
    """A local folder or file by its full path: steps need not run where the command did."""
    return str(local_path(place).resolve()) if is_local(place) else place


def _with_full_paths(overrides: SettingsOverrides) -> SettingsOverrides:
    section = overrides.tree.get("evaluation")
    if not isinstance(section, dict):
        return overrides
    given = {name: section[name] for name in _PATHS if isinstance(section.get(name), str) and section[name]}
    paths = {name: _full_path(place) for name, place in given.items()}
    return overrides.merge(SettingsOverrides({"evaluation": paths}))


def _draw_sample(output: Path, seed: int) -> Path:
    folder = output / f"sample-{seed}"
    if not folder.is_dir():
        make_synthetic_dataset(folder, seed=seed)
    return folder


def _print_summary(output: Path, seconds: float) -> None:
    bundle = Bundle.load(output / "bundle", verify=False)
    metrics = json.loads((output / "metrics.json").read_text())
    low, high = metrics["intervals"]["macro_f1"]
    interval = f"{metrics['macro_f1']:.3f} ({low:.3f} to {high:.3f}) on {metrics['photos']} test photos"
    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in (
        ("classes", ", ".join(bundle.manifest.classes)),
        ("macro-F1", interval),
        ("accuracy", f"{metrics['accuracy']:.3f}"),
        ("latency", f"{metrics['mean_latency_ms']:.1f} ms a photo"),
        ("bundle", str(output / "bundle")),
        ("report", str(output / "report.html")),
        ("took", duration(seconds)),
    ):
        table.add_row(label, Text(value))  # a class may be named like rich's markup
    console = Console(soft_wrap=True, markup=False, highlight=False)
    console.print(table)
    _print_how_to_ask(console, output, bundle)


def _print_how_to_ask(console: Console, output: Path, bundle: Bundle) -> None:
    predictor, name = PredictorProcess.read(output / "predictor.json"), bundle.manifest.name
    if predictor is None or not predictor.is_running:
        console.print(f"\nserve it:  {_command('serve', '--bundle', output / 'bundle')}")
        return
    url = f"http://127.0.0.1:{predictor.http_port}"
    probe = output / "bundle" / bundle.manifest.probes[0].file
    console.print(f"\nThe predictor answers at {url}/v2/models/{name}/infer; ask it:")
    console.print(f"  {_command('predict', probe, '--url', url, '--model', name)}")
    console.print(f"stop it:  {_command('stop', '--output', output)}")


def _command(*words: object) -> str:
    """A command line that a shell takes as it is, whatever the names of folders."""
    return shlex.join(["phytoflow", *map(str, words)])
