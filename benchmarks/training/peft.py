"""`python -m benchmarks.training.peft`: what each training strategy costs, and how well it does.

Each backbone and strategy is trained in a process of its own, which gives it a peak memory of its own, with
several seeds, each with a split of its own. ``--random-weights`` starts from random weights and not from
ImageNet's: the costs are the same then, and the macro-F1 says nothing of pretrained networks.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, pstdev
from typing import Annotated, get_args

import safetensors.torch
import torch
import typer
from torch import nn

from benchmarks.training.__main__ import measure
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import Strategy, TrainingSettings
from phytoflow.training.strategies.parameter_efficient import count_trained, restrict_training

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
BACKBONES = ["vit_tiny_patch16_224", "tf_efficientnet_lite0"]
app = typer.Typer(add_completion=False, help=__doc__)
Random = Annotated[bool, typer.Option(help="Start from random weights.")]
Seeds = Annotated[int, typer.Option(min=1, help="Splits and trainings behind each mean.")]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of fine-tuning and of training every layer.")]
Size = Annotated[int, typer.Option(help="Side of the input in pixels; 0: the backbone's default.")]


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option(help="Class folders of photos; default: drawn leaves.")
    ] = None,
    photos: Annotated[int, typer.Option(help="Drawn photos of each class.")] = 60,
    backbone: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    strategy: Annotated[list[str] | None, typer.Option(help="May be repeated; default: all.")] = None,
    random_weights: Random = False,
    seeds: Seeds = 3,
    epochs: Epochs = 4,
    image_size: Size = 0,
) -> None:
    """Prints a row for each backbone and strategy."""
    if context.invoked_subcommand:
        return
    with tempfile.TemporaryDirectory() as name:
        source = folder or make_synthetic_dataset(Path(name) / "photos", photos)
        print("| backbone | strategy | parameters trained | seconds | peak, MB | macro-F1 |")
        print("|---|---|" + "---:|" * 4, flush=True)
        options = ["--seeds", str(seeds), "--epochs", str(epochs), "--image-size", str(image_size)]
        options += ["--random-weights"] * random_weights
        for each in backbone or BACKBONES:
            for how in strategy or STRATEGIES:
                command = [sys.executable, "-m", "benchmarks.training.peft", "one", str(source), each, how]
                subprocess.run([*command, *options], check=True)


@app.command(name="one", hidden=True)
def measure_one(
    folder: Path,
    backbone: str,
    strategy: str,
    random_weights: Random = False,
    seeds: Seeds = 3,
    epochs: Epochs = 4,
    image_size: Size = 0,
) -> None:
    """Prints the row of one backbone and strategy."""
    logging.basicConfig(level=logging.ERROR)
    training = TrainingSettings.model_validate(
        {
            "strategy": strategy,
            "cross_validate_below": 0,
            "finetune_epochs": epochs,
            "min_finetune_steps": 0,
            "end_to_end_epochs": epochs,
        }
    )
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        model = ModelSettings.model_validate({"backbone": backbone, "image_size": image_size})
        if random_weights:
            model = model.model_copy(update={"weights": _save_random(model, work / "random.safetensors")})
        results = []
        for seed in range(seeds):
            prepare(str(folder), DataSettings(), preprocessing_for(model), seed, work / f"dataset-{seed}")
            dataset = Dataset.open(work / f"dataset-{seed}")
            results.append(measure(strategy, dataset, training, seed, work / str(seed), model))
        trained = count_parameters(model, training, len(dataset.classes))
    scores = [result.macro_f1 for result in results]
    cells = [backbone, strategy, f"{trained:,}"]
    cells += [f"{mean(result.seconds for result in results):.0f}", f"{_peak():.0f}"]
    print("|", " | ".join([*cells, f"{mean(scores):.3f} ± {pstdev(scores):.3f}"]), "|", flush=True)


def count_parameters(model: ModelSettings, training: TrainingSettings, classes: int) -> int:
    """Number of parameters that a strategy trains in its second stage, the head included."""
    classifier = create_model(model, classes, training.tuned_blocks)
    if training.strategy == "full":
        return count_trained(classifier)
    if training.strategy == "linear":
        return count_trained(classifier.head)
    network = nn.Sequential(classifier.tail, classifier.head)
    restrict_training(network, training)
    return count_trained(network)


def _save_random(model: ModelSettings, file: Path) -> str:
    torch.manual_seed(0)  # all strategies start from the same
    network = create_model(model.model_copy(update={"weights": "none"}), classes=2)
    safetensors.torch.save_file(network.state_dict(), file)
    return str(file)


def _peak() -> float:
    """Peak resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    app()
