"""Snapshots of a training that goes on while they are written."""

import torch

from phytoflow.training.engine.checkpoint_callback import SnapshotIO


def test_a_snapshot_does_not_change_with_the_weights() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    checkpoint_io = SnapshotIO()
    checkpoint_io.save_checkpoint(
        {"state_dict": {"w": weight.detach()}, "optimizers": [optimizer.state_dict()], "epoch": 1}, "unused"
    )
    before = checkpoint_io.snapshot["state_dict"]["w"].clone()
    moment = checkpoint_io.snapshot["optimizers"][0]["state"][0]["exp_avg"].clone()
    optimizer.step()
    assert torch.equal(checkpoint_io.snapshot["state_dict"]["w"], before)
    assert torch.equal(checkpoint_io.snapshot["optimizers"][0]["state"][0]["exp_avg"], moment)
    assert not torch.equal(weight, before) and checkpoint_io.snapshot["epoch"] == 1
