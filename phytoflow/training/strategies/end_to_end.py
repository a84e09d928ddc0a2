"""End-to-end training: every layer is trained from photos. For networks without pretrained weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from phytoflow.errors import DataError
from phytoflow.training.context import TrainingContext
from phytoflow.training.distributed.shares import WHOLE
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.strategies.outcome import Outcome
from phytoflow.training.strategies.selection import HeldOutLogits, evaluate_candidates
from phytoflow.training.strategies.stages import loss_weights, streamed_batches


def train_end_to_end(context: TrainingContext) -> Outcome:
    """Trains the whole network; the epoch with the lowest validation loss is kept.

    Raises:
        DataError: There are no validation photos.
    """
    if not context.dataset.count("validation"):
        raise DataError(
            "end-to-end training needs validation photos, and the dataset has none",
            remedy="raise data.validation_fraction, or add photos; "
            "with pretrained weights, training.strategy=partial needs none",
        )
    labels = np.asarray(context.dataset.labels("train"), np.int64)
    module = FinetuneModule(
        context.classifier.to(memory_format=torch.channels_last),
        context.finetune_settings(len(labels), held_out=True),
        streamed_batches(context, None),
        loss_weights(context, labels, streamed=True),
        context.seed,
        context.prepare,
        context.group,
    )
    with context.timed("end_to_end"):
        network, context.history = fit(
            module, "end-to-end fit", context.store, context.device, context.reporter
        )
    logits, held_out_labels = context.group.on_first(lambda: _predict_validation(context, network))
    groups = np.arange(len(held_out_labels))
    candidates = evaluate_candidates(HeldOutLogits([logits], held_out_labels, groups))
    words = f"{len(held_out_labels)} validation photos"
    return Outcome(network, candidates[0], candidates, words, logits, held_out_labels, 0.0, ("train",))


def _predict_validation(context: TrainingContext, network: nn.Module) -> tuple[Tensor, Tensor]:
    """Logits [N, C] and labels [N] of the validation photos, computed by this process alone."""
    network = network.to(context.device.kind)
    batches = replace(streamed_batches(context, None), share=WHOLE).validation()
    with torch.inference_mode():
        parts = [(network(context.prepare(batch[0])).cpu(), batch[1]) for batch in batches]
    network.cpu()
    logits, labels = zip(*parts, strict=True)
    return torch.cat(logits), torch.cat(labels)
