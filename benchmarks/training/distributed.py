"""`python -m benchmarks.training.distributed`: what several training processes of one machine gain.

Each number of processes trains the same drawn leaves anew. Efficiency is the time of one process, divided by
the time of several and by their number: on CPUs, which one process keeps busy by itself, it cannot be near 1.
`benchmarks.training.rounding` says how far their weights differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.models.checkpoint import read_summary
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings

PARTS = ("features", "finetune")
_SETTINGS = {"training.cross_validate_below": 0, "training.min_finetune_steps": 0, "training.device": "cpu"}


class Training(NamedTuple):
    """A finished training.

    Attributes:
        processes: Number of processes.
        seconds: Wall-clock time of each part.
        macro_f1: On the validation photos.
    """

    processes: int
    seconds: dict[str, float]
    macro_f1: float


def main(
    processes: Annotated[list[int] | None, typer.Option(help="May be repeated; default: 1, 2, 4.")] = None,
    photos: Annotated[int, typer.Option(help="Drawn photos of each class.")] = 100,
    image_size: Annotated[int, typer.Option(help="Side of the input in pixels.")] = 224,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of fine-tuning.")] = 3,
) -> None:
    """Prints a row for each number of processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = ModelSettings(image_size=image_size)
        source = make_synthetic_dataset(folder / "photos", photos)
        prepare(str(source), DataSettings(), preprocessing_for(model), 0, folder / "dataset")
        print("| processes | features, s | an epoch, s | efficiency | validation macro-F1 |")
        print("|" + "---:|" * 5, flush=True)
        trainings = [_train(folder, number, image_size, epochs) for number in processes or (1, 2, 4)]
        for training in trainings:
            print(row(training, trainings[0], epochs), flush=True)


def row(training: Training, first: Training, epochs: int) -> str:
    """A row of the table.

    Args:
        training: A training.
        first: The training it is compared with.
        epochs: Epochs of each.
    """
    features, finetune = (training.seconds[part] for part in PARTS)
    number = training.processes / first.processes
    efficiency = sum(first.seconds[part] for part in PARTS) / (features + finetune) / number
    figures = f"{features:.1f} | {finetune / epochs:.1f} | {efficiency:.2f} | {training.macro_f1:.3f}"
    return f"| {training.processes} | {figures} |"


def _train(folder: Path, processes: int, image_size: int, epochs: int) -> Training:
    own = {"training.devices": processes, "training.finetune_epochs": epochs, "model.image_size": image_size}
    summary = read_summary(train(folder / "dataset", folder / str(processes), _SETTINGS | own))
    return Training(processes, summary["seconds"], summary["validation"]["macro_f1"])


def train(data: Path, output: Path, settings: dict[str, Any], **environment: str) -> Path:
    """Trains with `phytoflow train`; returns the folder of the model.

    Args:
        data: A dataset, or a folder of photos.
        output: Folder of the run.
        settings: By key.
        environment: Variables of the process.
    """
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "phytoflow.cli", "train", "--data", str(data)]
    command += ["--output", str(output), *options]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, env=os.environ | environment, **silent)
    return output / "model"


if __name__ == "__main__":
    typer.run(main)
