"""Runs one fit with Lightning: early stopping, a checkpoint after every epoch, resumed after a kill."""

from __future__ import annotations

import copy
import json
import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import safetensors.torch
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from phytoflow.storage.temporary import temporary_folder
from phytoflow.training.distributed.sharding import ShardingStrategy
from phytoflow.training.engine.checkpoint_callback import CheckpointCallback, Epoch, SnapshotIO
from phytoflow.training.engine.checkpoint_writer import CheckpointWriter
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.engine.lightning_module import FinetuneModule

_CLIP = 1.0  # largest norm of a gradient: a single odd batch must not throw the weights away
_LOG = logging.getLogger(__name__)
# Lightning advertises, and repeats which devices it found.
for _name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
    logging.getLogger(_name).setLevel(logging.ERROR)


def fit(
    module: FinetuneModule, name: str, store: CheckpointStore, device: Device, reporter: EpochReporter
) -> tuple[nn.Module, list[Epoch]]:
    """Fits a network, or goes on with the same fit after a kill; a finished fit is only loaded.

    Of the processes of a group only the first one reads and writes the store. A fit may be resumed with
    another number of processes.

    Args:
        module: The module to fit.
        name: Name of the fit, unique in the store.
        store: Where its checkpoints are.
        device: Where to compute.
        reporter: Reports each epoch.

    Returns:
        The averaged network of the epoch with the lowest validation loss (of the last epoch without
        validation), on the CPU, and the history.

    Raises:
        StorageError: A checkpoint cannot be written, e.g. because the disk is full.
    """
    network, first = module.average.module, module.group.on_first
    if module.sharded:
        network = copy.deepcopy(network)  # on the CPU, and whole
    if (finished := first(lambda: _read(store, f"{name}.json"))) is not None:
        history: list[Epoch] = json.loads(finished)
    else:
        with reporter.fit(name, module.settings.epochs):
            history = _run(module, name, store, device, reporter)
        first(lambda: store.put(f"{name}.json", lambda path: path.write_text(json.dumps(history))))
    best = first(lambda: _read(store, f"{name}.best"))
    assert best is not None
    # The file lacks what no step has changed.
    network.load_state_dict(network.state_dict() | safetensors.torch.load(best))
    return network.cpu().eval(), history


def _read(store: CheckpointStore, name: str) -> bytes | None:
    path = store.get(name)
    return path.read_bytes() if path else None


def _run(
    module: FinetuneModule, name: str, store: CheckpointStore, device: Device, reporter: EpochReporter
) -> list[Epoch]:
    with _last_checkpoint(module, name, store) as last, CheckpointWriter() as writer, _deterministic():
        checkpoint_io = SnapshotIO()
        callback = CheckpointCallback(name, store, writer, checkpoint_io, reporter)
        if last is not None:
            callback.resume(last)
            _LOG.info("%s: resuming after epoch %d", name, len(callback.history))
            if callback.stopped or len(callback.history) >= module.settings.epochs:
                return callback.history
        trainer = _trainer(module, callback, checkpoint_io, device)
        with _honest_exit():
            trainer.fit(module, ckpt_path=last, weights_only=True)
    return callback.history


@contextmanager
def _last_checkpoint(module: FinetuneModule, name: str, store: CheckpointStore) -> Iterator[Path | None]:
    """A file with the last checkpoint, or None; each process of a group has its own copy of the first's."""
    if module.group.size == 1:
        yield store.get(f"{name}.last")
        return
    content = module.group.on_first(lambda: _read(store, f"{name}.last"))
    with temporary_folder() as folder:
        if content is not None:
            (folder / "last").write_bytes(content)
        yield None if content is None else folder / "last"


def _trainer(
    module: FinetuneModule, callback: CheckpointCallback, checkpoint_io: SnapshotIO, device: Device
) -> lightning.Trainer:
    callbacks: list[Callback] = [callback]
    if patience := module.settings.patience:
        # Checked after validation. At the end of the epoch it would be checked after the checkpoint, which
        # would then lack this epoch's part of its state: a resumed fit would stop an epoch later.
        callbacks.append(EarlyStopping("validation/loss", patience=patience, check_on_train_epoch_end=False))
    return lightning.Trainer(
        accelerator=device.kind,
        precision=device.precision,
        max_epochs=module.settings.epochs,
        callbacks=callbacks,
        accumulate_grad_batches=module.share.steps,
        gradient_clip_val=_CLIP,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        deterministic="warn",
        default_root_dir=callback.store.scratch,
        use_distributed_sampler=False,  # the batches are shares of this process already
        **_place(module, checkpoint_io),
    )


def _place(module: FinetuneModule, checkpoint_io: SnapshotIO) -> dict[str, Any]:
    """The trainer's arguments for one process, or for one of a group.

    Buffers are equal in all processes without being sent: batch norms are frozen or synchronised.
    """
    group = module.group
    if group.size == 1:
        return {"devices": 1, "plugins": [checkpoint_io, LightningEnvironment()]}
    place = {
        "devices": group.local_size,
        "num_nodes": group.size // group.local_size,
        "plugins": [checkpoint_io, TorchElasticEnvironment()],
    }
    if module.sharded:
        return place | {"strategy": ShardingStrategy(group.size)}
    averages = [name for name, _ in module.named_parameters() if name.startswith("average.")]
    # They have no gradients; without this DDP would wait for some.
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(module, averages)  # type: ignore[no-untyped-call]
    return place | {"strategy": DDPStrategy(broadcast_buffers=False)}


@contextmanager
def _honest_exit() -> Iterator[None]:
    """Lets an interrupted process end as one.

    Lightning ends it with status 0 after SIGTERM, as if the training had succeeded, and with status 1 and
    further interrupts ignored after SIGINT.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None  # a shell's status of a process ended by a signal
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from None
        raise


@contextmanager
def _deterministic() -> Iterator[None]:
    """Keeps what the trainer's deterministic mode sets to the fit, and silences its warnings.

    The mode would also fill all memory it allocates, to expose reads that come too early: that is slow.
    """
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.use_deterministic_algorithms(False)
