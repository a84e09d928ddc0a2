"""Runs one fit with Lightning: early stopping, checkpoints every epoch, resumed where it was."""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass, field
from typing import Any

import lightning
import safetensors.torch
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch import nn

from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.lightning_module import Tuner
from phytoflow.training.tracker_protocol import Tracker

_LOG = logging.getLogger(__name__)
Epoch = dict[str, Any]
for _name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
    logging.getLogger(_name).setLevel(logging.ERROR)


@dataclass
class CheckpointCallback(Callback):
    """After every epoch: history, the best averaged weights so far, and all it takes to go on.

    Attributes:
        store: Where to.
        name: Of the fit.
        tracker: Where figures go.
        history: One dict an epoch.
        best: Lowest validation loss so far; its weights are kept as ``NAME.best``.
    """

    store: CheckpointStore
    name: str
    tracker: Tracker
    history: list[Epoch] = field(default_factory=list)
    best: float = float("inf")

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Runs after the epoch's validation; the best weights go first: a kill between repeats the epoch."""
        assert isinstance(module, Tuner)
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.history.append({"fit": self.name, "epoch": trainer.current_epoch + 1, "rate": rate, **figures})
        _LOG.info("%s, epoch %d: %s", self.name, trainer.current_epoch + 1, _words(figures))
        self.tracker.log_metrics(
            {f"{self.name}/{k}": v for k, v in figures.items()}, step=trainer.current_epoch + 1
        )
        loss = figures.get("validation/loss", -float(trainer.current_epoch))
        if loss < self.best:
            self.best = loss
            keep_weights(self.store, f"{self.name}.best", module.average.module)
        aside = self.store.scratch / f"{self.name}.ckpt"
        trainer.save_checkpoint(aside, weights_only=False)
        self.store.put(f"{self.name}.last", aside)

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"history": json.dumps(self.history), "best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.history, self.best = json.loads(state_dict["history"]), state_dict["best"]

    def __hash__(self) -> int:
        return id(self)


def fit(
    tuner: Tuner, name: str, store: CheckpointStore, device: Device, tracker: Tracker
) -> tuple[nn.Module, list[Epoch]]:
    """Fits, or goes on where the same fit was killed; at once if it had ended.

    Args:
        tuner: What is fitted.
        name: Of the fit, unique in the store.
        store: Where its checkpoints are.
        device: Where to compute.
        tracker: Where each epoch's figures go.

    Returns:
        The averaged network at its lowest validation loss (at the end, where nothing is judged), on the
        CPU, and the history.
    """
    network = tuner.average.module
    if (done := store.get(f"{name}.json")) is not None:
        history: list[Epoch] = json.loads(done.read_text())
    else:
        history = _run(tuner, name, store, device, tracker)
        aside = store.scratch / f"{name}.json"
        aside.write_text(json.dumps(history))
        store.put(f"{name}.json", aside)
    best = store.get(f"{name}.best")
    assert best is not None
    network.load_state_dict(safetensors.torch.load_file(best))
    return network.cpu().eval(), history


def keep_weights(store: CheckpointStore, name: str, network: nn.Module) -> None:
    """Puts a network's weights into the store (safetensors)."""
    aside = store.scratch / f"{name}.safetensors"
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    safetensors.torch.save_file(state, aside)
    store.put(name, aside)


def _run(tuner: Tuner, name: str, store: CheckpointStore, device: Device, tracker: Tracker) -> list[Epoch]:
    keeper = CheckpointCallback(store, name, tracker)
    callbacks: list[Callback] = [keeper]
    if tuner.settings.patience:
        callbacks.insert(0, EarlyStopping("validation/loss", patience=tuner.settings.patience))
    trainer = lightning.Trainer(
        accelerator=device.kind,
        devices=1,
        precision=device.precision,
        max_epochs=tuner.settings.epochs,
        callbacks=callbacks,
        gradient_clip_val=tuner.settings.clip,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        deterministic="warn",
        default_root_dir=store.scratch,
    )
    # Deterministic mode would fill all memory it is given, to show reads that come too early: slow.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    last = store.get(f"{name}.last")
    if last is not None:
        _LOG.info("%s: resuming from its last whole epoch", name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(tuner, ckpt_path=last, weights_only=True)
    torch.use_deterministic_algorithms(False)
    return keeper.history


def _words(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in sorted(figures.items()))
