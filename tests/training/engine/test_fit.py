"""One fit: resumed after a kill at any moment it ends with the same weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from phytoflow.errors import StorageError
from phytoflow.system.lifeline import TerminatedError, hold_lifeline
from phytoflow.training.engine.batches import CachedBatches
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.settings import TrainingSettings
from tests.support.disks import small_disk
from tests.support.small_training import Notes

CPU = Device("cpu", torch.float32, "CPU")
SETTINGS = FitSettings(TrainingSettings(), learning_rate=0.05, epochs=5, learn_norms=True, patience=0)
RANDOM = np.random.default_rng(0)
LABELS = np.arange(40) % 2
FEATURES = (RANDOM.normal(size=(40, 6)) + LABELS[:, None]).astype(np.float32)
VALIDATION = (FEATURES[::3] + 0.5, LABELS[::3])


class KillError(Exception):
    """Ends a fit in a test as a kill would."""


class RecordingModule(FinetuneModule):
    """Remembers which epochs were trained, from 1."""

    def on_train_epoch_start(self) -> None:
        """See FinetuneModule."""
        super().on_train_epoch_start()
        self.trained.append(self.current_epoch + 1)


def store_in(folder: Path) -> CheckpointStore:
    return CheckpointStore(str(folder), "fit", folder / "scratch")


def run(
    store: CheckpointStore,
    tracker: Notes | None = None,
    settings: FitSettings = SETTINGS,
    *,
    validate: bool = True,
    width: int = 8,
) -> tuple[nn.Module, list[dict[str, Any]], list[int]]:
    """Runs or resumes the same fit; gives network, history and the epochs that were trained."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, width), nn.Dropout(0.2), nn.ReLU(), nn.Linear(width, 2))
    held_out = VALIDATION if validate else None
    batches = CachedBatches([FEATURES], LABELS, np.arange(40), held_out, batch_size=16, seed=3)
    module = RecordingModule(network, settings, batches, torch.ones(2), 3, lambda inputs: inputs)
    module.trained = []
    fitted, history = fit(module, "fold 1", store, CPU, EpochReporter(tracker or Notes()))
    return fitted, history, module.trained


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    states = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in states)


class Interrupting(Notes):
    """Does something once the metrics of an epoch are recorded."""

    def __init__(self, epoch: int, act: Callable[[], object]) -> None:
        super().__init__()
        self.epoch, self.act = epoch, act

    def log_metrics(self, metrics: Any, *, step: int = 0) -> None:
        """Records, then acts."""
        super().log_metrics(metrics, step=step)
        if step == self.epoch:
            self.act()


def kill() -> None:
    raise KillError


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, list[dict[str, Any]]]:
    network, history, trained = run(store_in(tmp_path_factory.mktemp("undisturbed")))
    assert trained == [1, 2, 3, 4, 5] and [epoch["epoch"] for epoch in history] == trained
    return network, history


def test_a_fit_learns_and_keeps_the_best_epoch(undisturbed: tuple[nn.Module, list[dict[str, Any]]]) -> None:
    network, history = undisturbed
    losses = [epoch["validation/loss"] for epoch in history]
    assert losses[-1] < losses[0]
    inputs = torch.from_numpy(VALIDATION[0])
    accuracy = float((network(inputs).argmax(1).numpy() == VALIDATION[1]).mean())
    assert accuracy == pytest.approx(history[int(np.argmin(losses))]["validation/accuracy"])


def test_a_finished_fit_is_loaded_and_not_trained_again(
    tmp_path: Path, undisturbed: tuple[nn.Module, list[dict[str, Any]]]
) -> None:
    run(store_in(tmp_path))
    network, history, trained = run(store_in(tmp_path))
    assert trained == [] and history == undisturbed[1] and same_weights(network, undisturbed[0])


@pytest.mark.parametrize("epoch", [1, 3, 5])
def test_no_epoch_that_was_reported_is_trained_again(
    tmp_path: Path, epoch: int, undisturbed: tuple[nn.Module, list[dict[str, Any]]]
) -> None:
    """Killed at the very moment of the report: before, the line came before the checkpoint was stored."""
    with pytest.raises(KillError):
        run(store_in(tmp_path), Interrupting(epoch, kill))
    notes = Notes()
    network, history, trained = run(store_in(tmp_path), notes)
    assert trained == [1, 2, 3, 4, 5][epoch:]
    assert history == undisturbed[1] and same_weights(network, undisturbed[0])
    assert notes.metrics[0][0] == epoch  # recorded again: the kill may have come before


class FailingStore(CheckpointStore):
    """Cannot write one of the files of an epoch."""

    failing = ("", 0)

    def put(self, name: str, write: Callable[[Path], object]) -> None:
        """Fails at the chosen file."""
        kind, left = self.failing
        if name.endswith(kind):
            if not left:
                raise StorageError("the store cannot be reached")
            self.failing = (kind, left - 1)
        super().put(name, write)


@pytest.mark.parametrize("kind", [".best", ".last"])
def test_a_checkpoint_that_cannot_be_stored_ends_the_fit_and_costs_one_epoch(
    tmp_path: Path, kind: str, undisturbed: tuple[nn.Module, list[dict[str, Any]]]
) -> None:
    store = FailingStore(str(tmp_path), "fit", tmp_path / "scratch")
    store.failing = (kind, 2)
    notes = Notes()
    with pytest.raises(StorageError, match="cannot be reached"):
        run(store, notes)
    reported = [step for step, _ in notes.metrics]
    network, history, trained = run(store_in(tmp_path))
    assert reported == [1, 2] and trained == [3, 4, 5]
    assert history == undisturbed[1] and same_weights(network, undisturbed[0])


def test_a_fit_that_had_stopped_early_does_not_go_on(tmp_path: Path) -> None:
    """Killed after its last epoch was stored and before the fit was marked as finished."""
    ruinous = replace(SETTINGS, learning_rate=20.0, epochs=9, patience=1)
    network, history, trained = run(store_in(tmp_path), settings=ruinous)
    assert len(trained) < 9
    (tmp_path / "fit" / "fold 1.json").unlink()
    again, history_again, trained_again = run(store_in(tmp_path), settings=ruinous)
    assert trained_again == [] and history_again == history and same_weights(again, network)


def test_a_resumed_fit_stops_early_where_it_would_have(tmp_path: Path) -> None:
    ruinous = replace(SETTINGS, learning_rate=20.0, epochs=9, patience=2)
    network, history, _ = run(store_in(tmp_path / "whole"), settings=ruinous)
    with pytest.raises(KillError):
        run(store_in(tmp_path), Interrupting(len(history) - 1, kill), settings=ruinous)
    again, history_again, trained = run(store_in(tmp_path), settings=ruinous)
    assert trained == [len(history)] and history_again == history and same_weights(again, network)


def test_without_validation_the_last_epoch_is_kept(tmp_path: Path) -> None:
    network, history, _ = run(store_in(tmp_path), validate=False)
    shorter, _, _ = run(store_in(tmp_path / "b"), settings=replace(SETTINGS, epochs=4), validate=False)
    assert "validation/loss" not in history[0] and not same_weights(network, shorter)


@pytest.mark.parametrize("epoch", [2])
def test_sigterm_ends_the_process_as_a_failure(
    tmp_path: Path, epoch: int, undisturbed: tuple[nn.Module, list[dict[str, Any]]]
) -> None:
    """Lightning would end it with status 0: a pipeline would take the step for done."""
    with pytest.raises(SystemExit) as ended:
        run(store_in(tmp_path), Interrupting(epoch, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    network, history, trained = run(store_in(tmp_path))
    assert len(trained) >= 2 and history == undisturbed[1] and same_weights(network, undisturbed[0])


def test_a_pipeline_step_that_is_told_to_end_keeps_its_own_way_to(tmp_path: Path) -> None:
    """``phytoflow.system.lifeline`` raises an exit of its own on SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    hold_lifeline()
    try:
        with pytest.raises(TerminatedError):
            run(store_in(tmp_path), Interrupting(2, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert run(store_in(tmp_path))[2] == [3, 4, 5]


def test_an_interrupt_stays_an_interrupt(
    tmp_path: Path, undisturbed: tuple[nn.Module, list[dict[str, Any]]]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(store_in(tmp_path), Interrupting(2, lambda: signal.raise_signal(signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    network, _, trained = run(store_in(tmp_path))
    assert trained == [3, 4, 5] and same_weights(network, undisturbed[0])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1) as folder:
        yield folder


def test_a_full_disk_is_named_and_the_fit_goes_on_when_there_is_room(disk: Path, tmp_path: Path) -> None:
    """A checkpoint takes four times the weights: 60,000 of them do not fit a disk of a megabyte."""
    notes = Notes()
    with pytest.raises(StorageError, match=r"no space left to write .*fold 1\.(best|last)") as raised:
        run(store_in(disk), notes, width=7500)
    assert raised.value.exit_code == 5 and str(disk) in raised.value.remedy
    assert notes.metrics == []  # no epoch was stored, so none is reported
    assert not list(disk.rglob("*.last"))
    network, _, _ = run(store_in(tmp_path / "roomy"), width=7500)
    assert sum(weight.numel() for weight in network.state_dict().values()) > 60_000
