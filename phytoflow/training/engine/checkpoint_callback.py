"""Lightning callback that stores a checkpoint after every epoch, and only then reports the epoch."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import safetensors.torch
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from phytoflow.training.engine.checkpoint_writer import CheckpointWriter
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.epoch_reporter import EpochReporter

Epoch = dict[str, Any]
"""What is known of an epoch: ``fit``, ``epoch`` (from 1), ``rate`` and its metrics."""
_AVERAGE = "average.module."  # of the averaged network's weights in the module's state


class SnapshotIO(TorchCheckpointIO):
    """Keeps the trainer's checkpoint in memory, as copies on the CPU, instead of writing it.

    Attributes:
        snapshot: The last checkpoint.
    """

    snapshot: dict[str, Any]

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Copies the checkpoint: its tensors change in the next step."""
        self.snapshot = _copy_to_cpu(checkpoint)


@dataclass(eq=False)
class CheckpointCallback(Callback):
    """Stores after every epoch what a resumed fit needs: ``NAME.last``, and ``NAME.best`` if it improved.

    The checkpoint is written while the next epoch runs. The epoch is reported once it is stored: after a kill
    no epoch that was reported is trained again. Of a group's processes the first one does both.

    Attributes:
        name: Name of the fit.
        store: Where checkpoints go.
        writer: Writes them.
        checkpoint_io: The trainer's plugin.
        reporter: Reports epochs.
        history: One entry for each epoch.
        best: Lowest validation loss so far; its weights are in ``NAME.best``.
        stopped: Whether early stopping has ended the fit.
    """

    name: str
    store: CheckpointStore
    writer: CheckpointWriter
    checkpoint_io: SnapshotIO
    reporter: EpochReporter
    history: list[Epoch] = field(default_factory=list)
    best: float = float("inf")
    stopped: bool = False

    def resume(self, checkpoint: Path) -> None:
        """Takes over the history of a killed fit, and reports its last epoch again.

        That epoch was stored, but perhaps not reported any more.
        """
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        self.load_state_dict(state["callbacks"][self.state_key])
        self._report(self.history[-1])

    def on_train_batch_end(self, *_: Any) -> None:
        """Reports the epoch before if it is stored by now."""
        self.writer.poll()

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Hands a snapshot to the writer; runs after the epoch's validation and early stopping."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        epoch = {"fit": self.name, "epoch": trainer.current_epoch + 1, "rate": rate, **metrics}
        self.history.append(epoch)
        self.stopped = trainer.should_stop
        # Without validation the last epoch is the best one.
        loss = metrics.get("validation/loss", -float(trainer.current_epoch))
        improved = loss < self.best
        self.best = min(loss, self.best)
        trainer.save_checkpoint(self.name, weights_only=False)
        if not trainer.is_global_zero:
            return
        write = partial(self._write, self.checkpoint_io.snapshot, improved)
        self.writer.submit(write, partial(self._report, epoch))

    def _write(self, snapshot: dict[str, Any], improved: bool) -> None:
        """Best weights first: a kill before the second file repeats the epoch and writes them again."""
        if improved:
            state = snapshot["state_dict"].items()
            weights = {k.removeprefix(_AVERAGE): v.contiguous() for k, v in state if k.startswith(_AVERAGE)}
            content = safetensors.torch.save(weights)
            self.store.put(f"{self.name}.best", lambda path: path.write_bytes(content))
        self.store.put(f"{self.name}.last", partial(_save_torch, snapshot))

    def _report(self, epoch: Epoch) -> None:
        metrics = {name: value for name, value in epoch.items() if "/" in name}
        self.reporter.report(self.name, epoch["epoch"], metrics)

    def state_dict(self) -> dict[str, Any]:
        """This callback's part of the checkpoint."""
        return {"history": json.dumps(self.history), "best": self.best, "stopped": self.stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores the callback from a checkpoint."""
        self.history, self.best = json.loads(state_dict["history"]), state_dict["best"]
        self.stopped = state_dict["stopped"]


def _copy_to_cpu(value: Any) -> Any:
    """A copy of nested dicts, lists and tuples whose tensors are copied to the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copy_to_cpu(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copy_to_cpu(item) for item in value)
    return value


def _save_torch(content: dict[str, Any], path: Path) -> None:
    """Writes by way of memory: on a full disk torch would raise an error that does not say so."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.write_bytes(buffer.getbuffer())
