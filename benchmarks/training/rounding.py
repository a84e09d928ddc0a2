"""`python -m benchmarks.training.rounding PHOTOS`: how far rounding carries a training.

The same training by one process, by one with a single thread, by one that computes its batches in parts, and
by two and four. They compute the same sums in another order. What one thread changes is what no training on
other hardware can avoid; several processes must not change more.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from safetensors.numpy import load_file

from benchmarks.training.distributed import train
from phytoflow.models.checkpoint import read_summary

_SETTINGS = {
    "data.near_duplicate_max_distance": 0,
    "training.cached_views": 1,
    "training.cross_validate_below": 0,
    "training.device": "cpu",
    "training.min_finetune_steps": 4,
}
_TRAININGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "1 process": ({}, {}),
    "1 process, 1 thread": ({}, {"OMP_NUM_THREADS": "1"}),
    "1 process, parts of 16": ({"training.device_batch_size": 16}, {}),
    "2 processes": ({"training.devices": 2}, {}),
    "4 processes": ({"training.devices": 4}, {}),
}


def main(
    photos: Annotated[Path, typer.Argument(help="Class folders of photos.")],
    image_size: Annotated[int, typer.Option(help="Side of the input in pixels.")] = 64,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of fine-tuning.")] = 1,
) -> None:
    """Prints a row for each training."""
    size = {"model.image_size": image_size, "training.finetune_epochs": epochs}
    print("| | validation loss | validation macro-F1 | largest difference |")
    print("|---|" + "---:|" * 3, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        models: list[Path] = []
        for number, (name, (settings, environment)) in enumerate(_TRAININGS.items()):
            output = Path(folder) / str(number)
            models.append(train(photos, output, _SETTINGS | size | settings, **environment))
            print(row(name, models[-1], models[0]), flush=True)


def row(name: str, model: Path, first: Path) -> str:
    """A row of the table.

    Args:
        name: Of the training.
        model: Folder of its model.
        first: Folder of the model it is compared with.
    """
    figures = read_summary(model)["validation"]
    weights, others = (load_file(folder / "model.safetensors") for folder in (model, first))
    difference = largest_difference(weights, others)
    return f"| {name} | {figures['loss']:.3f} | {figures['macro_f1']:.3f} | {difference:.1e} |"


def largest_difference(weights: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> float:
    """Largest difference of a weight, relative to the largest weight of its layer."""
    pairs = [(value.astype(float), others[name].astype(float)) for name, value in weights.items()]
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-12)) for a, b in pairs)


if __name__ == "__main__":
    typer.run(main)
