"""How processes share a batch. The batch, and with it the result, does not depend on their number.

A batch is cut into as many parts as there are processes and steps of accumulation. Losses of parts are summed
over the batch and not averaged for each part: parts differ in size and in the weights of their classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from phytoflow.training.distributed.group import Group
from phytoflow.training.settings import TrainingSettings


@dataclass(frozen=True)
class Share:
    """A process's share of every batch.

    Attributes:
        rank: Number of the process.
        size: Number of processes.
        steps: Parts of a batch that each process computes one after the other.
    """

    rank: int = 0
    size: int = 1
    steps: int = 1

    @classmethod
    def of(cls, group: Group, settings: TrainingSettings) -> Share:
        """The share of a process; parts hold at most ``device_batch_size`` photos."""
        most = settings.device_batch_size or settings.batch_size
        return cls(group.rank, group.size, -(-settings.batch_size // (group.size * most)))

    @property
    def parts(self) -> int:
        """Number of parts of a batch."""
        return self.size * self.steps

    def parts_of(self, photos: int) -> Iterator[Part]:
        """This process's parts of a batch."""
        for step in range(self.steps):
            number = self.rank + self.size * step
            start, end = photos * number // self.parts, photos * (number + 1) // self.parts
            yield Part(start, end, photos)

    def held_out(self, photos: int) -> slice:
        """The photos that this process validates on: each is one process's."""
        return slice(photos * self.rank // self.size, photos * (self.rank + 1) // self.size)


WHOLE = Share()
"""Every photo of every batch."""


class Part(NamedTuple):
    """Part of a batch: positions ``start`` to ``end`` of ``photos``."""

    start: int
    end: int
    photos: int

    @property
    def length(self) -> int:
        """Number of photos."""
        return self.end - self.start

    def rows(self, *, mixed: bool) -> NDArray[np.int64]:
        """Positions to load, the part's own last.

        Args:
            mixed: Whether photos are mixed: each is with the one before it in the batch, which then is loaded
                too. So it is for an empty part, of a batch of fewer photos than parts: every process must
                compute something.
        """
        return np.arange(self.start - (mixed or not self.length), self.end) % self.photos


def loss_of_part(
    logits: Tensor, targets: Tensor, batch_labels: Tensor, weights: Tensor, smoothing: float
) -> Tensor:
    """What a part adds to the loss of its batch.

    Args:
        logits: Of the part, float [N, C].
        targets: Its classes, int64 [N], or the probabilities of mixed photos, float [N, C].
        batch_labels: Classes of the whole batch, int64 [B].
        weights: Weight of each class, float [C].
        smoothing: Label smoothing.
    """
    total = F.cross_entropy(logits, targets, weights, label_smoothing=smoothing, reduction="sum")
    # As torch averages: by the weights of classes, or by the number of photos if targets are probabilities.
    by = weights[batch_labels].sum() if targets.ndim == 1 else torch.tensor(float(len(batch_labels)))
    return total / by.to(total.device)
