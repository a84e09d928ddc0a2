"""The LightningModule of every fit: of a head, of tail and head, or of the whole network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim.swa_utils import AveragedModel

from phytoflow.training.distributed.batch_norm import synchronise_batch_norms
from phytoflow.training.distributed.group import SOLO, Group
from phytoflow.training.distributed.sharding import shard
from phytoflow.training.distributed.shares import loss_of_part
from phytoflow.training.engine.batches import Batches
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.mixing import create_mixing, mix_batch
from phytoflow.training.engine.optimizer import create_optimizer
from phytoflow.training.engine.weight_average import update_average
from phytoflow.training.metrics import log_losses, macro_f1

_NETWORKS = ("network.", "average.module.")  # begin the names of the weights and of their average


class FinetuneModule(lightning.LightningModule):
    """Trains a network and a moving average of its weights. The average is what is validated and kept.

    Args:
        network: Maps prepared inputs to logits.
        settings: Settings of the fit.
        batches: Source of the batches.
        class_weights: Weight of each class in the loss, float [C].
        seed: With the epoch, determines dropout and mixing.
        prepare: Maps a batch's inputs, on the device, to the network's; the frozen trunk, if it runs live.
        group: The processes that fit this network together.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: FitSettings,
        batches: Batches,
        class_weights: Tensor,
        seed: int,
        prepare: Callable[[Tensor], Tensor],
        group: Group = SOLO,
    ) -> None:
        super().__init__()
        self.class_weights: Tensor
        self.network = network
        self.average = AveragedModel(network, multi_avg_fn=update_average(settings.training.ema_decay))
        self.register_buffer("class_weights", class_weights)
        self.settings, self.batches, self.seed, self.prepare = settings, batches, seed, prepare
        self.group, self.share = group, batches.share
        self.counts = True  # whether the inputs of this step count, and do not only fill an empty part
        if settings.learn_norms and group.size > 1:
            synchronise_batch_norms(network, lambda: self.counts)
        self.drawn_from = torch.get_rng_state()
        self.mix = create_mixing(settings, len(class_weights))
        self.validated: list[tuple[Tensor, Tensor]] = []

    @property
    def sharded(self) -> bool:
        """Whether each process holds a part of the network."""
        return self.group.size > 1 and self.settings.training.sharding == "fsdp"

    def configure_model(self) -> None:
        """Shards the network and its average, once."""
        if self.sharded and not any(isinstance(weight, DTensor) for weight in self.parameters()):
            assert self.device_mesh is not None  # set by ShardingStrategy
            for network in (self.network, self.average.module):
                shard(network, self.device_mesh["data_parallel"])

    def train(self, mode: bool = True) -> FinetuneModule:
        """Sets the mode; batch norms stay in evaluation mode unless they are to learn."""
        super().train(mode)
        if not self.settings.learn_norms:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def untrained_names(self) -> set[str]:
        """Names, in this module's state, of tensors that no step changes."""
        names = {name for name, weight in self.named_parameters() if not weight.requires_grad}
        if not self.settings.learn_norms:
            for prefix in _NETWORKS:
                names |= {prefix + name for name, _ in self.network.named_buffers()}
        return names

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves out what no step changes: it is the same in a network that is created again."""
        left_out = self.untrained_names()
        state = checkpoint["state_dict"].items()
        checkpoint["state_dict"] = {name: value for name, value in state if name not in left_out}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what was left out."""
        own = self.state_dict()
        left_out = {name: own[name] for name in self.untrained_names()}
        checkpoint["state_dict"] = left_out | checkpoint["state_dict"]

    def train_dataloader(self) -> Any:
        """Batches of the current epoch."""
        return self.batches.train(self.current_epoch)

    def val_dataloader(self) -> Any:
        """Validation batches."""
        return self.batches.validation()

    def on_train_epoch_start(self) -> None:
        """Sets training mode: Lightning leaves a network that it was given in evaluation mode in it."""
        self.train()

    def on_train_batch_start(self, batch: Any, index: int) -> None:
        """Seeds the epoch at its first batch, so that a resumed run repeats the epoch it lost.

        Before it, loaders draw from the same generator, in a resumed run at other moments.
        """
        if index == 0:
            seeds = np.random.SeedSequence((self.seed, self.current_epoch))
            torch.manual_seed(int(seeds.generate_state(1)[0]))

    def training_step(self, batch: Any, index: int) -> Tensor:
        """Loss of one batch, or of a part of one."""
        inputs, labels = self.prepare(batch[0]), batch[1]
        if self.mix is not None:
            inputs, labels = self._mix(inputs, labels, index)
        smoothing = self.settings.training.label_smoothing
        if self.share.parts == 1:
            loss = F.cross_entropy(
                self.network(inputs), labels, self.class_weights, label_smoothing=smoothing
            )
            photos = len(inputs)
        else:
            loss, photos = self._loss_of_part(inputs, labels, batch[2], int(batch[3])), len(batch[2])
        self.log(
            "train/loss",
            loss,
            on_step=False,
            on_epoch=True,
            batch_size=photos,
            sync_dist=self.share.size > 1,
        )
        return loss

    def _loss_of_part(self, inputs: Tensor, labels: Tensor, batch_labels: Tensor, count: int) -> Tensor:
        """A part's loss, scaled so that the mean over processes and steps is the loss of the batch."""
        self.counts = count > 0
        if not count:
            return self.network(inputs).sum() * 0.0
        inputs, labels = inputs[-count:], labels[-count:]
        smoothing = self.settings.training.label_smoothing
        loss = loss_of_part(self.network(inputs), labels, batch_labels, self.class_weights, smoothing)
        return loss * self.share.parts

    def _mix(self, inputs: Tensor, labels: Tensor, index: int) -> tuple[Tensor, Tensor]:
        """Mixes photos; all parts of a batch that this process computes draw the same numbers."""
        assert self.mix is not None
        if index % self.share.steps:
            torch.set_rng_state(self.drawn_from)
        elif self.share.steps > 1:
            self.drawn_from = torch.get_rng_state()
        return mix_batch(self.mix, inputs, labels)

    def on_train_batch_end(self, outputs: Any, batch: Any, index: int) -> None:
        """Updates the average after each step of the optimizer."""
        if (index + 1) % self.share.steps == 0:
            self.average.update_parameters(self.network)

    def validation_step(self, batch: Any, index: int) -> None:
        """Logits of the averaged network."""
        if not len(batch[1]):
            return
        self.average.eval()
        self.validated.append((self.average(self.prepare(batch[0])).float().cpu(), batch[1].cpu()))

    def on_validation_epoch_end(self) -> None:
        """Logs loss, macro-F1 and accuracy of the averaged network, over the photos of all processes."""
        parts = [part for validated in self.group.gather(self.validated) for part in validated]
        logits, labels = (torch.cat(part) for part in zip(*parts, strict=True))
        self.validated.clear()
        self.log("validation/loss", log_losses(logits, labels).mean())
        self.log("validation/macro_f1", macro_f1(logits, labels))
        self.log("validation/accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> Any:
        """AdamW with the schedule of the settings."""
        plateau = self.settings.training.schedule == "plateau"  # it needs no number of steps
        steps = 0 if plateau else int(self.trainer.estimated_stepping_batches)
        monitor = "validation/loss" if self.trainer.val_dataloaders else "train/loss"
        return create_optimizer(self.network, self.settings, steps, monitor)
