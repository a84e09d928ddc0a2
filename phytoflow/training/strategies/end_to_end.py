"""End to end: every layer trained from photos, for networks without pretrained weights, and to compare."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from phytoflow.training.context import Run
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.lightning_module import Tuner
from phytoflow.training.strategies.selection import Judged, candidates
from phytoflow.training.strategies.stages import loss_weights, photo_batches
from phytoflow.training.strategies.two_stage import Outcome


def end_to_end(run: Run) -> Outcome:
    """Trains the whole network; the epoch with the lowest validation loss is kept."""
    labels = np.asarray(run.dataset.labels("train"), np.int64)
    tuner = Tuner(
        run.classifier.to(memory_format=torch.channels_last),
        run.tail_settings(
            len(labels),
            patience=run.training.early_stopping_patience if run.dataset.count("validation") else 0,
        ),
        photo_batches(run, None),
        loss_weights(run, labels, live=True),
        run.seed,
        run.prepare,
    )
    with run.timed("whole"):
        network, run.history = fit(tuner, "final", run.store, run.device, run.tracker)
    logits, truth = _judged(run, network, tuner)
    found = candidates(Judged([logits], truth, np.arange(len(truth))))
    words = f"{len(truth)} validation photos"
    return Outcome(network, found[0], found, words, logits, truth, 0.0, ("train",))


def _judged(run: Run, network: nn.Module, tuner: Tuner) -> tuple[torch.Tensor, torch.Tensor]:
    network = network.to(run.device.kind)
    parts = [(batch[0], batch[1]) for batch in tuner.val_dataloader()]
    with torch.inference_mode():
        logits = torch.cat([network(run.prepare(images)).cpu() for images, _ in parts])
    network.cpu()
    return logits, torch.cat([labels for _, labels in parts])
