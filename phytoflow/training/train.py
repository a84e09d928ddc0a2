"""Dataset in, model folder out: the one call of the training step."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Literal

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.checkpoint import save_trained
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.storage.atomic import atomic_folder
from phytoflow.training.context import Run, open_run
from phytoflow.training.history import write_history
from phytoflow.training.metrics import log_losses, macro_f1, temperature
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.strategies.end_to_end import end_to_end
from phytoflow.training.strategies.two_stage import Outcome, two_stages
from phytoflow.training.summary import TrainingSummary
from phytoflow.training.tracker_protocol import Tracker

_LOG = logging.getLogger(__name__)


def train(
    dataset: Dataset,
    model: ModelSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    checkpoints: str,
    tracker: Tracker,
) -> TrainingSummary:
    """Trains a network and writes the model folder, whole or not at all.

    The folder holds ``model.safetensors``, ``model.json``, ``history.csv`` and ``curves.png``. Killed at any
    moment, the same call goes on from the last whole epoch (or view of the photos) and ends with the same
    model.

    Args:
        dataset: What ``phytoflow.data.prepare`` wrote.
        model: The network.
        training: How.
        seed: Decides every draw.
        output: The model folder.
        checkpoints: Folder or ``s3://`` prefix for what a killed run needs; may be shared by many runs.
        tracker: Where epochs' figures and the curves go.

    Returns:
        What was chosen and why; also in ``model.json``.

    Raises:
        WeightsError: Pretrained weights cannot be had.
        ConfigError: A GPU was asked for and there is none.
        StorageError: The dataset cannot be read, or the output not written.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    run = open_run(dataset, model, training, seed, output, checkpoints, tracker)
    outcome = end_to_end(run) if run.whole else two_stages(run)
    classifier = _assembled(run, outcome)
    run.seconds["total"] = time.perf_counter() - wall
    facts = _facts(run, outcome, time.process_time() - cpu)
    with atomic_folder(output) as folder:
        save_trained(folder, classifier, dataset.classes, run.preprocessing, facts.model_dump(mode="json"))
        tracker.log_figure(write_history(run.history, folder), "curves.png")
        tracker.log_artifact(folder / "history.csv")
    tracker.log_metrics({f"chosen/{name}": value for name, value in facts.validation.items()})
    run.store.clear()
    _LOG.info("chosen: %s (share %.2f), %s", facts.stage_chosen, facts.share, facts.validation)
    return facts


def _assembled(run: Run, outcome: Outcome) -> PhotoClassifier:
    if run.whole:
        assert isinstance(outcome.network, PhotoClassifier)
        return outcome.network
    tail, head = outcome.network.children()
    run.classifier.cpu().tail.load_state_dict(tail.state_dict())
    run.classifier.head.load_state_dict(head.state_dict())
    return run.classifier


def _facts(run: Run, outcome: Outcome, cpu_seconds: float) -> TrainingSummary:
    logits, labels = outcome.logits, outcome.labels
    figures = {
        "loss": float(log_losses(logits, labels).mean()),
        "macro_f1": macro_f1(logits, labels),
        "accuracy": float((logits.argmax(1) == labels).float().mean()),
    }
    return TrainingSummary(
        model=run.model.model_dump(mode="json"),
        training=run.training.model_dump(mode="json"),
        backbone=run.model.backbone,
        head=run.model.head,
        seed=run.seed,
        data_hash=run.dataset.summary.data_hash,
        fingerprint=run.key,
        run_id=run.tracker.run_id,
        stage_chosen=_stage(run, outcome.chosen.share),
        share=1.0 if run.whole else outcome.chosen.share,
        evidence=outcome.evidence,
        evidence_from=outcome.evidence_from,
        temperature=temperature(logits, labels),
        strength=outcome.strength,
        trained_on=outcome.trained_on,
        photos={split: run.dataset.count(split) for split in ("train", "validation", "test")},
        validation=figures,
        device=run.device.text,
        seconds={part: round(value, 2) for part, value in run.seconds.items()},
        cpu_seconds=round(cpu_seconds, 2),
    )


def _stage(run: Run, share: float) -> Literal["head", "tail", "between", "whole"]:
    if run.whole:
        return "whole"
    return "head" if share == 0 else "tail" if share == 1 else "between"
