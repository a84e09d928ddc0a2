"""The train step's TrainJob: the dataset goes to the run's store, the model comes back from it."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from phytoflow.data.shards.dataset import SUMMARY_FILE, Dataset
from phytoflow.data.shards.format import INDEX_FILE
from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.trainjob.render import Work
from phytoflow.deploy.trainjob.run import image_of, own_pod, owner_of, run_of, run_train_job
from phytoflow.provenance import code_version
from phytoflow.steps.distributed.command import process_arguments
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.storage.uri import exists, join, put_file, put_folder
from phytoflow.system.progress import ProgressEvent, Throttle
from phytoflow.training.train import is_trained

_LOG = logging.getLogger(__name__)
_SECONDS = 5.0  # between two lines of progress


def train_on_cluster(dataset: Path, settings: TrainStepSettings, output: str, checkpoints: str) -> None:
    """Trains in a TrainJob, unless its model is with the checkpoints already.

    Args:
        dataset: Folder that the preprocess step wrote.
        settings: What the train step reads.
        output: The run's prefix.
        checkpoints: Prefix of checkpoints.

    Raises:
        ConfigError: No image is set, and there is no step's pod to take it from.
        DeployError: The TrainJob was refused, did not start, or failed; says why.
    """
    data = Dataset.open(dataset)
    if is_trained(data, settings.model, settings.training, settings.seed, checkpoints):
        return
    here, cluster = Cluster.connect(), Cluster.connect(settings.trainjob.namespace)
    pod = own_pod(here)
    work = Work(
        name=_name(data, settings, output),
        run=run_of(pod),
        nodes=settings.training.nodes,
        devices=settings.training.devices,
        arguments=tuple(process_arguments(_store(dataset, checkpoints), settings, output)),
        image=image_of(pod, settings.trainjob),
        owner=owner_of(pod) if here.namespace == cluster.namespace else None,
    )
    run_train_job(cluster, work, settings.trainjob, _Printer().write)


def _name(data: Dataset, settings: TrainStepSettings, output: str) -> str:
    """The same for each attempt of a step, so that the next one replaces what the last one left."""
    parts = json.dumps([output, data.summary.data_hash, settings.to_json(), code_version()])
    return f"phytoflow-train-{hashlib.sha256(parts.encode()).hexdigest()[:10]}"


def _store(dataset: Path, checkpoints: str) -> str:
    """Copies the dataset to where all pods can read it; its summary last, which makes it complete."""
    digest = hashlib.sha256((dataset / SUMMARY_FILE).read_bytes() + (dataset / INDEX_FILE).read_bytes())
    uri = join(checkpoints, f"dataset-{digest.hexdigest()[:16]}")
    if not exists(join(uri, SUMMARY_FILE)):
        _LOG.info("copying the dataset to %s", uri)
        for path in sorted(dataset.iterdir()):
            if path.is_dir():
                put_folder(path, join(uri, path.name))
            elif path.name != SUMMARY_FILE:
                put_file(path, join(uri, path.name))
        put_file(dataset / SUMMARY_FILE, join(uri, SUMMARY_FILE))
    return uri


class _Printer:
    """Prints the first pod's log; events of its progress as a line every few seconds."""

    def __init__(self) -> None:
        self._due = Throttle(_SECONDS)

    def write(self, line: str) -> None:
        """Takes one line."""
        if (event := ProgressEvent.from_line(line)) is None:
            print(line, flush=True)
        elif self._due.due():
            _LOG.info(event.to_text())
