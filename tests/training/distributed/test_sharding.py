"""Networks of which each process holds a part."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from phytoflow.training.distributed.group import join_group
from phytoflow.training.distributed.sharding import ShardingStrategy, local_parts, shard
from phytoflow.training.settings import TrainingSettings
from tests.support.services.training_group import run_group

PHOTOS = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    """Parts with and without weights, and a head; filters lie in memory as a GPU prefers them."""
    torch.manual_seed(0)
    parts = nn.Unflatten(1, (6, 1, 1)), nn.Conv2d(6, 8, 3, padding=1), nn.Flatten(), nn.ReLU()
    return nn.Sequential(nn.Sequential(*parts), nn.Linear(8, 4)).to(memory_format=torch.channels_last)


def shard_here() -> tuple[torch.Tensor, int, list[str]]:
    """Logits of the sharded network, numbers held by this process, and weights that are whole."""
    group = join_group(TrainingSettings(device="cpu"))
    sharded = network()
    shard(sharded, init_device_mesh("cpu", (group.size,)))
    held = sum(part.numel() for part in local_parts(sharded.parameters()))
    whole = [name for name, weight in sharded.named_parameters() if not isinstance(weight, DTensor)]
    logits: Any = sharded(PHOTOS)
    dist.barrier()
    return logits.detach(), held, whole


def test_each_process_holds_a_part_and_computes_with_the_whole() -> None:
    results = run_group(shard_here, 2)
    numbers = sum(weight.numel() for weight in network().parameters())
    for logits, held, whole in results:
        torch.testing.assert_close(logits, network()(PHOTOS).detach())
        assert held == numbers // 2 and whole == []


def test_checkpoints_are_restored_by_the_strategy_itself() -> None:
    strategy = ShardingStrategy(2)
    assert strategy.lightning_restore_optimizer and strategy.restore_checkpoint_after_setup


def test_parts_of_what_is_not_sharded_are_the_whole() -> None:
    assert local_parts([PHOTOS])[0] is PHOTOS
