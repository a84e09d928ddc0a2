"""Who trains: the step's own process, several of this machine, or the pods of a TrainJob."""

from __future__ import annotations

from pathlib import Path

from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.errors import ConfigError
from phytoflow.steps.distributed.command import process_arguments
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.storage.uri import is_local
from phytoflow.system.kfp_pod import kfp_pod
from phytoflow.training.settings import TrainingSettings


def needs_cluster(training: TrainingSettings, trainjob: TrainJobSettings) -> bool:
    """Whether a TrainJob trains, unless torchrun has started processes on several machines."""
    return training.nodes > 1 or trainjob.enabled


def check_machines(settings: TrainStepSettings, output: str) -> None:
    """Refuses, before anything is spent, a training for which the machines are not there.

    Args:
        settings: What the train step reads.
        output: The run's folder or prefix.

    Raises:
        ConfigError: A TrainJob is to train, and the output is a folder of this machine; or this machine lacks
            a GPU that the settings ask for.
    """
    training = settings.training
    if needs_cluster(training, settings.trainjob):
        _check_output(settings, output)
    elif kfp_pod():
        return  # the pod of the train step may have a GPU where others have none
    elif training.device == "cuda" or training.precision == "fp16" or training.devices > 1:
        from phytoflow.training.engine.device import check_device

        check_device(training)


def _check_output(settings: TrainStepSettings, output: str) -> None:
    if not is_local(output):
        return
    remedy = "give a pipeline an s3:// output"
    if settings.trainjob.enabled:
        what = f"trainjob.enabled=true, and the pods of a TrainJob cannot reach the output {output}"
        raise ConfigError(what, remedy=f"{remedy}, or set trainjob.enabled=false")
    raise ConfigError(
        f"training.nodes={settings.training.nodes}, nothing started this on each machine, and the pods of a "
        f"TrainJob cannot reach the output {output}",
        remedy=f"start `phytoflow train` with torchrun on each, {remedy}, or set training.nodes=1",
    )


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
    check_machines(settings, output)
    if needs_cluster(settings.training, settings.trainjob):
        from phytoflow.steps.distributed.train_job import train_on_cluster

        train_on_cluster(dataset, settings, output, checkpoints)
    elif settings.training.devices > 1:
        from phytoflow.training.distributed.launch import launch

        launch(process_arguments(str(dataset), settings, output), settings.training.devices)
