"""The train step: trains a model on a dataset."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.provenance import code_version, now
from phytoflow.steps.distributed.processes import train_elsewhere
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.storage.uri import is_local, join, local_path
from phytoflow.system.threads import make_idle_openmp_threads_sleep
from phytoflow.system.torchrun import started_by_torchrun

if TYPE_CHECKING:
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.tracker import Tracker

_CHECKPOINTS = "checkpoints"
_LOG = logging.getLogger(__name__)


def train(dataset: Path, settings: TrainStepSettings, model: Path, output: str) -> None:
    """Trains a model; killed at any moment, the same call resumes from its checkpoints.

    With ``training.devices`` it starts as many processes, with ``training.nodes`` a TrainJob, and takes the
    model that they leave with the checkpoints. A process that torchrun started trains with the others.

    Args:
        dataset: Folder that the preprocess step wrote.
        settings: What the step reads.
        model: Folder of the model to write.
        output: The run's folder or prefix: holds the checkpoints, and MLflow's files if no server is named.

    Raises:
        ConfigError: Several machines are to train, and nothing started processes on them.
        ProcessError: One of several training processes failed.
        DeployError: A TrainJob was refused, did not start, or failed.
    """
    make_idle_openmp_threads_sleep()
    if not started_by_torchrun():
        train_elsewhere(dataset, settings, output, join(output, _CHECKPOINTS))
    train_in_group(str(dataset), settings, model, output)


def train_in_group(dataset: str, settings: TrainStepSettings, model: Path, output: str) -> None:
    """Trains in this process, with the others of its group if torchrun started it.

    Args:
        dataset: Folder or URI that the preprocess step wrote; it may appear later than other processes.
        settings: What the step reads.
        model: Folder of the model to write; only the group's first process writes it.
        output: The run's folder or prefix.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.training.distributed.group import join_group
    from phytoflow.training.tracker_protocol import SilentTracker
    from phytoflow.training.train import train as fit

    group = join_group(settings.training)
    data = Dataset.open(dataset)
    checkpoints = join(output, _CHECKPOINTS)
    with contextlib.ExitStack() as stack:
        tracker = (
            stack.enter_context(_open_tracker(data, settings, output)) if group.rank == 0 else SilentTracker()
        )
        fit(data, settings.model, settings.training, settings.seed, model, checkpoints, tracker, group)
    group.leave()


@contextlib.contextmanager
def _open_tracker(data: Dataset, settings: TrainStepSettings, output: str) -> Iterator[Tracker]:
    """The run in MLflow, with what is known before the training."""
    from phytoflow.inference.cost import measure_cost
    from phytoflow.tracking.tracker import Tracker
    from phytoflow.training.train import is_trained

    placeless = settings.model_copy(update={"training": settings.training.without_placement()})
    key = hashlib.sha256(
        f"{data.summary.data_hash} {placeless.to_json()} {code_version()}".encode()
    ).hexdigest()[:16]
    # Killed after the last epoch: the finished model, and the run that recorded it, are there.
    checkpoints = join(output, _CHECKPOINTS)
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
        _LOG.info("%s costs %s", backbone, measure_cost(settings.model, classes).describe())
        yield tracker


def clear_checkpoints(output: str) -> None:
    """Removes the checkpoints of a run, once its model is stored; those in an object store expire there.

    Args:
        output: The run's folder or prefix.
    """
    if is_local(output):
        shutil.rmtree(local_path(join(output, _CHECKPOINTS)), ignore_errors=True)
