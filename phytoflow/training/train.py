"""The training step: a dataset in, a model folder out."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.checkpoint import read_summary, save_trained
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.storage.atomic import atomic_folder
from phytoflow.training.context import TrainingContext
from phytoflow.training.distributed.group import SOLO, Group
from phytoflow.training.history import write_history
from phytoflow.training.metrics import log_losses, macro_f1, temperature
from phytoflow.training.open_context import open_context, open_store
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.strategies.end_to_end import train_end_to_end
from phytoflow.training.strategies.outcome import Outcome
from phytoflow.training.strategies.two_stage import train_two_stages
from phytoflow.training.summary import Stage, TrainingSummary
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
    group: Group = SOLO,
    shared_features: Path | None = None,
) -> TrainingSummary:
    """Trains a network and writes the model folder, complete or not at all.

    The folder holds ``model.safetensors``, ``model.json``, ``history.csv`` and ``curves.png``. After a kill
    at any moment the same call goes on after the last stored epoch (or ten seconds of feature extraction) and
    ends with the same model. A copy of the finished model stays with the checkpoints until the caller removes
    them: killed before it has stored the model elsewhere, the same call returns it at once.

    Args:
        dataset: What ``phytoflow.data.prepare`` wrote.
        model: Settings of the network.
        training: Settings of the training.
        seed: Determines every random draw.
        output: The model folder.
        checkpoints: Folder or ``s3://`` prefix of checkpoints; many trainings may share it.
        tracker: Records epochs, curves and the result.
        group: The processes that train together. Each calls this; the first one writes and records.
        shared_features: Folder in which several trainings share the cached features that they have in common.

    Returns:
        What was selected and why; also in ``model.json``.

    Raises:
        WeightsError: The pretrained weights are not available.
        ConfigError: The settings ask for a GPU and there is none.
        DataError: End-to-end training has no validation photos.
        StorageError: The dataset cannot be read, or a disk is full or cannot be written.
    """
    store = open_store(dataset, model, training, seed, output, checkpoints)
    if group.on_first(store.has_result):
        _LOG.info("this training has finished before; its model is taken from the checkpoints")
        return group.on_first(lambda: _record(store.fetch_result(output), tracker))
    wall, cpu = time.perf_counter(), time.process_time()
    context = open_context(dataset, model, training, seed, store, tracker, group, shared_features)
    outcome = train_end_to_end(context) if context.end_to_end else train_two_stages(context)
    context.seconds["total"] = time.perf_counter() - wall
    return group.on_first(lambda: _write(context, outcome, time.process_time() - cpu, output))


def _write(context: TrainingContext, outcome: Outcome, cpu_seconds: float, output: Path) -> TrainingSummary:
    """Writes the model folder, and a copy to the checkpoints; records it."""
    classifier = _assemble(context, outcome)
    document = _summarize(context, outcome, cpu_seconds).model_dump(mode="json")
    with atomic_folder(output) as folder:
        save_trained(folder, classifier, context.dataset.classes, context.preprocessing, document)
        write_history(context.history, folder)
        context.store.put_result(folder)
    return _record(output, context.tracker)


def is_trained(
    dataset: Dataset, model: ModelSettings, training: TrainingSettings, seed: int, checkpoints: str
) -> bool:
    """Whether the checkpoints hold the finished model of just this training."""
    return open_store(dataset, model, training, seed, Path("model"), checkpoints).has_result()


def _record(folder: Path, tracker: Tracker) -> TrainingSummary:
    """Records a finished model with the tracker; doing so twice changes nothing."""
    summary = TrainingSummary.model_validate(read_summary(folder))
    tracker.log_artifact(folder / "curves.png")
    tracker.log_artifact(folder / "history.csv")
    tracker.log_metrics({f"chosen/{name}": value for name, value in summary.validation.items()})
    values = ", ".join(f"{name} {value:.4f}" for name, value in summary.validation.items())
    _LOG.info("chosen: %s weights; %s on %s", summary.stage_chosen, values, summary.selected_on)
    return summary


def _assemble(context: TrainingContext, outcome: Outcome) -> PhotoClassifier:
    """The whole classifier with the weights of the outcome."""
    if context.end_to_end:
        assert isinstance(outcome.network, PhotoClassifier)
        return outcome.network
    tail, head = outcome.network.children()
    context.classifier.cpu().tail.load_state_dict(tail.state_dict())
    context.classifier.head.load_state_dict(head.state_dict())
    return context.classifier


def _summarize(context: TrainingContext, outcome: Outcome, cpu_seconds: float) -> TrainingSummary:
    logits, labels = outcome.logits, outcome.labels
    alpha = 1.0 if context.end_to_end else outcome.chosen.alpha
    return TrainingSummary(
        model=context.model.model_dump(mode="json"),
        training=context.training.model_dump(mode="json"),
        backbone=context.model.backbone,
        head=context.model.head,
        seed=context.seed,
        data_hash=context.dataset.summary.data_hash,
        fingerprint=context.store.key,
        run_id=context.tracker.run_id,
        stage_chosen="end_to_end" if context.end_to_end else _stage(alpha),
        alpha=alpha,
        candidates=outcome.candidates,
        selected_on=outcome.selected_on,
        temperature=temperature(logits, labels),
        l2_penalty=outcome.l2_penalty,
        trained_on=outcome.trained_on,
        photos={split: context.dataset.count(split) for split in ("train", "validation", "test")},
        validation={
            "loss": float(log_losses(logits, labels).mean()),
            "macro_f1": macro_f1(logits, labels),
            "accuracy": float((logits.argmax(1) == labels).float().mean()),
        },
        device=context.device.text,
        seconds={part: round(value, 2) for part, value in context.seconds.items()},
        cpu_seconds=round(cpu_seconds, 2),
    )


def _stage(alpha: float) -> Stage:
    return "head" if alpha == 0 else "finetuned" if alpha == 1 else "interpolated"
