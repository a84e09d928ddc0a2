"""Runs a function in the processes of a training group, with the variables that torchrun sets."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from phytoflow.system.ports import free_port

_SECONDS = 60
_SILENT = AssertionError("a process has not answered")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["phytoflow.training.train"])  # torch is imported once, not in each process


def run_group(function: Callable[..., Any], size: int, *arguments: Any) -> list[Any]:
    """Calls a function in each process of a group.

    Args:
        function: Of a module that can be imported.
        size: Number of processes.
        arguments: Of the function.

    Returns:
        What it returned, by rank.

    Raises:
        AssertionError: A process failed; with what it raised.
    """
    port, pipes, processes = free_port(), [], []
    for rank in range(size):
        receiver, sender = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_call, args=(sender, rank, size, port, function, arguments))
        process.start()
        sender.close()
        pipes.append(receiver)
        processes.append(process)
    try:
        results = [pickle.loads(pipe.recv_bytes()) if pipe.poll(_SECONDS) else _SILENT for pipe in pipes]
    finally:
        for process in processes:
            process.join(5)
            process.kill()
    assert not [result for result in results if isinstance(result, Exception)], results
    return results


def _call(
    sender: Connection, rank: int, size: int, port: int, function: Callable[..., Any], arguments: Any
) -> None:
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "GROUP_RANK": "0",
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": "lo",
    }
    try:
        result = function(*arguments)
    except Exception as error:  # shown by the parent
        result = AssertionError(f"process {rank}: {type(error).__name__}: {error}")
    sender.send_bytes(pickle.dumps(result))  # tensors by value: this process ends before they are read
