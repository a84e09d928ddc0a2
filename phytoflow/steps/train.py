"""The train step: trains a model on a dataset."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from phytoflow.provenance import code_version, now
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.storage.uri import is_local, join, local_path
from phytoflow.system.threads import make_idle_openmp_threads_sleep

_CHECKPOINTS = "checkpoints"


def train(dataset: Path, settings: TrainStepSettings, model: Path, output: str) -> None:
    """Trains a model; killed at any moment, the same call resumes from its checkpoints.

    Args:
        dataset: Folder that the preprocess step wrote.
        settings: What the step reads.
        model: Folder of the model to write.
        output: The run's folder or prefix: holds the checkpoints, and MLflow's files if no server is named.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.tracker import Tracker
    from phytoflow.training.train import is_trained
    from phytoflow.training.train import train as fit

    data = Dataset.open(dataset)
    key = hashlib.sha256(
        f"{data.summary.data_hash} {settings.to_json()} {code_version()}".encode()
    ).hexdigest()[:16]
    checkpoints = join(output, _CHECKPOINTS)
    # Killed after the last epoch: the finished model, and the run that recorded it, are there.
    finished = is_trained(data, settings.model, settings.training, settings.seed, checkpoints)
    backbone, started = settings.model.backbone, now().replace("T", " ")[:16]
    subject = f"{backbone} on {data.summary.name or data.summary.data_hash[:8]}"
    with Tracker.open(
        settings.tracking,
        output,
        key=key,
        name=f"{subject}, {started}",
        model=backbone,
        finished=finished,
    ) as tracker:
        photos, classes = sum(data.summary.counts["train"].values()), len(data.summary.classes)
        tracker.describe(trained=f"{subject}, {photos:,} photos of {classes} classes", output=output)
        sections = settings.model_dump(mode="json", include={"seed", "model", "training"})
        tracker.log_params(sections | {"data_hash": data.summary.data_hash, "code_version": code_version()})
        fit(data, settings.model, settings.training, settings.seed, model, checkpoints, tracker)


def clear_checkpoints(output: str) -> None:
    """Removes the checkpoints of a run, once its model is stored; those in an object store expire there.

    Args:
        output: The run's folder or prefix.
    """
    if is_local(output):
        shutil.rmtree(local_path(join(output, _CHECKPOINTS)), ignore_errors=True)
