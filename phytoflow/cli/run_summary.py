"""What `phytoflow run` prints at its end."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from phytoflow.bundle.bundle import Bundle
from phytoflow.deploy.local.process import PredictorProcess
from phytoflow.evaluation.results import read_metrics
from phytoflow.system.progress import duration


def print_summary(output: Path, seconds: float) -> None:
    """Prints what is in the output, how good the model is and how to ask it.

    Args:
        output: The run's folder.
        seconds: The run took.
    """
    bundle = Bundle.load(output / "bundle", verify=False)
    metrics = read_metrics(output)
    low, high = metrics.intervals["macro_f1"]
    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in (
        ("classes", ", ".join(bundle.manifest.classes)),
        ("macro-F1", f"{metrics.macro_f1:.3f} ({low:.3f} to {high:.3f}) on {metrics.photos} test photos"),
        ("accuracy", f"{metrics.accuracy:.3f}"),
        ("latency", f"{metrics.mean_latency_ms:.1f} ms a photo"),
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
