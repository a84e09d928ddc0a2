"""FSDP2: each process holds a part of the weights, their average, the gradients and the optimizer's state.

Checkpoints are whole, so that any number of processes resumes them, sharded or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(network: nn.Module, mesh: DeviceMesh) -> None:
    """Shards a network in place; its blocks are gathered one at a time when they compute.

    Args:
        network: Whose children, or their children, are a sequence of blocks.
        mesh: The processes.
    """
    network.to(memory_format=torch.contiguous_format)  # FSDP2 refuses weights in channels_last
    for part in network.children():
        for block in part if isinstance(part, nn.Sequential) else [part]:
            if any(True for _ in block.parameters()):
                fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


class ShardingStrategy(ModelParallelStrategy):
    """Lightning's strategy for networks that ``configure_model`` shards, with this project's checkpoints.

    Args:
        processes: Number of processes.
    """

    def __init__(self, processes: int) -> None:
        super().__init__(
            data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False
        )

    @property
    def lightning_restore_optimizer(self) -> bool:
        """The optimizer is restored from the checkpoint as in other strategies."""
        return True

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """The whole weights that are trained, in the first process; nothing in the others."""
        module: Any = self.lightning_module
        state, untrained = module.state_dict(), module.untrained_names()
        return self._gather({name: value for name, value in state.items() if name not in untrained})

    def optimizer_state(self, optimizer: Any) -> dict[str, Any]:
        """The whole state, in the first process; empty in the others."""
        state = getattr(optimizer, "_optimizer", optimizer).state_dict()
        return state | {"state": {number: self._gather(values) for number, values in state["state"].items()}}

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """Reads a checkpoint that is whole."""
        return Strategy.load_checkpoint(self, checkpoint_path, weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Loads each process's part of the weights."""
        module: Any = self.lightning_module
        own = module.state_dict()
        parts = {name: _part(value, own[name]) for name, value in checkpoint["state_dict"].items()}
        module.load_state_dict(parts, strict=strict)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Loads each process's part of the optimizer's state."""
        for optimizer, whole in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            parts = {
                number: {name: _part(value, weights[number]) for name, value in values.items()}
                for number, values in whole["state"].items()
            }
            optimizer.load_state_dict(whole | {"state": parts})

    def _gather(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Whole tensors on the CPU, one at a time; all processes take part and the first one keeps them."""
        gathered = {}
        for name, value in values.items():
            whole = value.full_tensor() if isinstance(value, DTensor) else value
            if self.is_global_zero:
                gathered[name] = whole.detach().cpu() if isinstance(whole, Tensor) else whole
        return gathered


def _part(value: Any, like: Tensor) -> Any:
    """This process's part of a tensor, split as another of its shape is."""
    whole = isinstance(value, Tensor) and not isinstance(value, DTensor)
    if not whole or not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def local_parts(tensors: Any) -> list[Tensor]:
    """This process's parts of sharded tensors; others as they are."""
    return [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]
