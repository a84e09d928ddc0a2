"""One LightningModule for every fit: a head on features, a tail on activations, or the whole network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torchvision.transforms import v2  # type: ignore[import-untyped]

from phytoflow.training.engine.batches import Batches
from phytoflow.training.metrics import log_losses, macro_f1


@dataclass(frozen=True)
class FitSettings:
    """How one fit goes; see TrainingSettings for the fields of the same name.

    Attributes:
        rate: Peak learning rate.
        epochs: Most epochs.
        learn_norms: Whether batch norms learn their statistics; frozen ones cannot drift on small sets.
        patience: Epochs without a lower validation loss before stopping; 0: never stops early.
    """

    rate: float
    epochs: int
    weight_decay: float
    schedule: str
    label_smoothing: float
    mixup: float
    cutmix: float
    ema_decay: float
    learn_norms: bool
    patience: int
    warm_up: float = 0.2
    clip: float = 1.0


class Tuner(lightning.LightningModule):
    """Trains a network and keeps a moving average of its weights, which is what is judged and kept.

    Args:
        network: From prepared inputs to logits.
        settings: How.
        batches: Where batches come from.
        class_weights: Weight of each class in the loss, float [C].
        seed: Fixes dropout and mixing in each epoch.
        prepare: From a batch's inputs, on the device, to the network's; the frozen trunk, if it runs live.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: FitSettings,
        batches: Batches,
        class_weights: Tensor,
        seed: int,
        prepare: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.class_weights: Tensor
        self.network = network
        # Early on the average would be mostly the start: its memory grows with the steps made.
        self.average = AveragedModel(network, multi_avg_fn=_averaging(settings.ema_decay))
        self.register_buffer("class_weights", class_weights)
        self.settings, self.batches, self.seed, self.prepare = settings, batches, seed, prepare
        self.mix = _mixing(settings, len(class_weights))
        self.judged: list[tuple[Tensor, Tensor]] = []

    def train(self, mode: bool = True) -> Tuner:
        """Batch norms stay as they are unless they are to learn."""
        super().train(mode)
        if not self.settings.learn_norms:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def train_dataloader(self) -> Any:
        """Batches of the current epoch."""
        return self.batches.train(self.current_epoch)

    def val_dataloader(self) -> Any:
        """Batches to judge on."""
        return self.batches.validation()

    def on_train_epoch_start(self) -> None:
        """What an epoch draws depends on the seed and its number alone: a resumed one repeats it.

        Lightning leaves a network given in evaluation mode in it: dropout and norms would never learn.
        """
        self.train()
        torch.manual_seed(int(np.random.SeedSequence((self.seed, self.current_epoch)).generate_state(1)[0]))

    def training_step(self, batch: Any, index: int) -> Tensor:
        """Loss of one batch."""
        inputs, labels = self.prepare(batch[0]), batch[1]
        if self.mix is not None:
            inputs, labels = _mixed(self.mix, inputs, labels)
        smoothing = self.settings.label_smoothing
        loss = F.cross_entropy(self.network(inputs), labels, self.class_weights, label_smoothing=smoothing)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(inputs))
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Averages the weights after each step."""
        self.average.update_parameters(self.network)

    def validation_step(self, batch: Any, index: int) -> None:
        """Logits of the averaged network."""
        self.average.eval()
        self.judged.append((self.average(self.prepare(batch[0])).float().cpu(), batch[1].cpu()))

    def on_validation_epoch_end(self) -> None:
        """Logs loss and macro-F1 of the averaged network."""
        logits, labels = (torch.cat(part) for part in zip(*self.judged, strict=True))
        self.judged.clear()
        self.log("validation/loss", log_losses(logits, labels).mean())
        self.log("validation/macro_f1", macro_f1(logits, labels))
        self.log("validation/accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> Any:
        """AdamW (Loshchilov 2019) with the schedule that the settings name."""
        learning = [p for p in self.network.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(learning, self.settings.rate, weight_decay=self.settings.weight_decay)
        if self.settings.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.3, patience=1)
            monitor = "validation/loss" if self.trainer.val_dataloaders else "train/loss"
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": monitor}}
        steps = int(self.trainer.estimated_stepping_batches)
        assert steps > 0, "an epoch's number of batches must be known"
        factor = _factor(self.settings, steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]:
    """Of all weights together: the number of steps is on the device, and to read it a GPU is waited for."""

    def average(kept: Sequence[Tensor], new: Sequence[Tensor], count: Any) -> None:
        memory = min(decay, (1 + int(count)) / (10 + int(count)))
        for old, recent in zip(kept, new, strict=True):
            old.copy_(torch.lerp(recent, old, memory))

    return average


def _factor(settings: FitSettings, steps: int) -> Callable[[int], float]:
    """Warm-up, then a half cosine down to nothing (Loshchilov 2017), or constant."""

    def factor(step: int) -> float:
        warm = min(1.0, (step + 1) / (settings.warm_up * steps + 1))
        cosine = settings.schedule == "cosine"
        return warm * (0.5 * (1 + float(np.cos(np.pi * min(1.0, step / max(1, steps))))) if cosine else 1.0)

    return factor


def _mixing(settings: FitSettings, classes: int) -> nn.Module | None:
    chosen: list[nn.Module] = []
    if settings.mixup:
        chosen.append(v2.MixUp(alpha=settings.mixup, num_classes=classes))
    if settings.cutmix:
        chosen.append(v2.CutMix(alpha=settings.cutmix, num_classes=classes))
    return v2.RandomChoice(chosen) if chosen else None


def _mixed(mix: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mixes photos, or activations (manifold mixup, Verma 2019): both have places to cut at."""
    shape = inputs.shape
    images = inputs.reshape(*shape[:2], -1, 1) if inputs.ndim < 4 else inputs
    mixed, targets = mix(images, labels)
    return mixed.reshape(shape), targets
