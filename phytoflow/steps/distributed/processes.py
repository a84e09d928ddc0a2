"""Who trains: the step's own process, several of this machine, or the pods of a TrainJob."""

from __future__ import annotations

from pathlib import Path

from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.errors import ConfigError
from phytoflow.steps.distributed.command import process_arguments
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.storage.uri import is_local
from phytoflow.training.settings import TrainingSettings


def needs_cluster(training: TrainingSettings, trainjob: TrainJobSettings) -> bool:
    """Whether a TrainJob trains, unless torchrun has started processes on several machines."""
    return training.nodes > 1 or trainjob.enabled


def train_elsewhere(dataset: Path, settings: TrainStepSettings, output: str, checkpoints: str) -> None:
    """Has other processes train, if the settings ask for them; their model stays with the checkpoints.

    Args:
        dataset: Folder that the preprocess step wrote.
        settings: What the train step reads.
        output: The run's folder or prefix.
        checkpoints: Folder or prefix of checkpoints.

    Raises:
        ConfigError: Several machines are to train, and the output is a folder of this one.
        ProcessError: A process of this machine failed.
        DeployError: The TrainJob was refused, did not start, or failed.
    """
    if needs_cluster(settings.training, settings.trainjob):
        if is_local(output):
            raise ConfigError(
                f"training.nodes={settings.training.nodes}, and nothing started this on each machine",
                remedy="start `phytoflow train` with torchrun on each, or give a pipeline an s3:// output",
            )
        from phytoflow.steps.distributed.train_job import train_on_cluster

        train_on_cluster(dataset, settings, output, checkpoints)
    elif settings.training.devices > 1:
        from phytoflow.training.distributed.launch import launch

        launch(process_arguments(str(dataset), settings, output), settings.training.devices)
