"""The train step: dataset to a trained model."""

from __future__ import annotations

import hashlib
from pathlib import Path

from phytoflow.provenance import code_version
from phytoflow.steps.context import read_settings
from phytoflow.storage.uri import join
from phytoflow.system.threads import make_idle_openmp_threads_sleep


def train(dataset: Path, settings: str, model: Path, output: str) -> None:
    """Dataset to a trained model folder; killed at any moment, the same call resumes.

    Args:
        dataset: Folder that ``preprocess`` wrote.
        settings: Sections seed, model, training and tracking.
        model: Folder to write.
        output: The run's folder or prefix: checkpoints, and MLflow's files where none is named.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.tracker import Tracker
    from phytoflow.training.train import train as fit

    chosen, data = read_settings(settings), Dataset.open(dataset)
    key = hashlib.sha256(f"{data.facts.data_hash} {settings} {code_version()}".encode()).hexdigest()[:16]
    with Tracker.open(chosen.tracking, output, key=key) as tracker:
        sections = chosen.model_dump(mode="json", include={"seed", "model", "training"})
        tracker.log_params(sections | {"data_hash": data.facts.data_hash, "code_version": code_version()})
        checkpoints = join(output, "checkpoints")
        fit(data, chosen.model, chosen.training, chosen.seed, model, checkpoints, tracker)
