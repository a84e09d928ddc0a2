"""The processes of one training, as torchrun starts them: who is who, and what they tell each other.

Long work of one process is awaited at torchrun's key-value store and not in a collective operation, whose
timeout of minutes is there to find processes that hang.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from phytoflow.errors import ConfigError
from phytoflow.system.cpu import cpu_count
from phytoflow.system.torchrun import started_by_torchrun
from phytoflow.training.settings import TrainingSettings

_T = TypeVar("_T")
_AGES = timedelta(days=30)  # a process that dies ends the wait sooner: torchrun ends the others
_BACKEND = "cpu:gloo,cuda:nccl"
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Group:
    """The processes of one training; by default there is just this one.

    Attributes:
        rank: Number of this process.
        size: Number of processes.
        local_rank: Number of this process on its machine.
        local_size: Number of processes on its machine.
        store: torchrun's key-value store; None if there is one process.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    store: Any = field(default=None, repr=False)
    _turns: Iterator[int] = field(default_factory=count, repr=False)

    def on_first(self, compute: Callable[[], _T]) -> _T:
        """Computes something in the first process, with all CPUs of its machine, and tells the others.

        All processes must call this in the same order. Values are pickled: the group is trusted.

        Args:
            compute: May take any time; its value must not be large.

        Returns:
            The value, in every process.
        """
        if self.size == 1:
            return compute()
        values: list[Any] = [None]
        turn = self._next_turn()
        if self.rank == 0:
            with _all_threads():
                values = [compute()]
            self.store.set(turn, "done")
        else:
            self.store.wait([turn], _AGES)
        dist.broadcast_object_list(values, src=0, device=_CPU)
        value: _T = values[0]
        return value

    def gather(self, value: _T) -> list[_T]:
        """Every process's value, by rank; in every process."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def meet(self) -> None:
        """Waits, however long, until every process is here."""
        if self.size > 1:
            turn = self._next_turn()
            self.store.set(f"{turn}/{self.rank}", "here")
            self.store.wait([f"{turn}/{rank}" for rank in range(self.size)], _AGES)

    def leave(self) -> None:
        """Ends the group, when all work is done."""
        if self.size > 1:
            dist.destroy_process_group()

    def _next_turn(self) -> str:
        return f"phytoflow/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{next(self._turns)}"


SOLO = Group()
"""One process."""


def join_group(settings: TrainingSettings) -> Group:
    """Joins the processes that torchrun started; without torchrun this process trains alone.

    The first process may come any time later than the others.

    Raises:
        ConfigError: torchrun started another number of processes than the settings ask for.
    """
    if not started_by_torchrun():
        return SOLO
    _check_number(settings)
    timeout = timedelta(minutes=settings.group_timeout_minutes)
    store, rank, size = next(rendezvous("env://", timeout=timeout))
    local_rank, local_size = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    group = Group(rank, size, local_rank, local_size, PrefixStore("phytoflow", store))
    torch.set_num_threads(max(1, cpu_count() // local_size))
    if torch.cuda.is_available() and settings.device != "cpu":
        torch.cuda.set_device(local_rank % torch.cuda.device_count())
    group.meet()
    backend = _BACKEND if torch.cuda.is_available() and settings.device != "cpu" else "gloo"
    dist.init_process_group(
        backend, store=PrefixStore("torch", store), rank=rank, world_size=size, timeout=timeout
    )
    return group


def _check_number(settings: TrainingSettings) -> None:
    started, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if settings.processes > 1 and (settings.processes, settings.devices) != (started, local):
        raise ConfigError(
            f"torchrun started {started} processes, {local} of them here, and the settings ask for "
            f"training.devices={settings.devices} on training.nodes={settings.nodes}",
            remedy="start torchrun with --nproc-per-node and --nnodes of these settings",
        )


@contextmanager
def _all_threads() -> Iterator[None]:
    """Lets torch use every CPU: the other processes of this machine sleep."""
    threads = torch.get_num_threads()
    torch.set_num_threads(cpu_count())
    try:
        yield
    finally:
        torch.set_num_threads(threads)
