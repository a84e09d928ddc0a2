import pytest

from phytoflow.config.loader import load_settings
from phytoflow.errors import ConfigError

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("assignments", "named"),
    [
        (["training.strategy=lora", "model.weights=none"], ["strategy=lora", "weights=none"]),
        (["training.strategy=linear", "model.backbone=attention_cnn"], ["strategy=linear", "attention_cnn"]),
        (["training.strategy=bitfit", "training.finetune_blocks=0"], ["strategy=bitfit", "finetune_blocks"]),
        (
            ["training.strategy=adapter", "training.finetune_epochs=0"],
            ["strategy=adapter", "finetune_epochs"],
        ),
        (["training.strategy=lora", "preset=fast"], ["strategy=lora", "finetune_blocks"]),
        (["training.devices=8", "training.nodes=5"], ["batch_size=32", "devices=8", "nodes=5"]),
        (["training.strategy=full", "training.device_batch_size=8"], ["device_batch_size=8", "batch norms"]),
        (["training.strategy=lora", "training.sharding=fsdp"], ["strategy=lora", "sharding=fsdp"]),
        (["training.precision=fp16", "training.sharding=fsdp"], ["precision=fp16", "sharding=fsdp"]),
        (["training.precision=fp16", "training.device=cpu"], ["precision=fp16", "device=cpu"]),
        ([f"model.weights_sha256={HASH}"], [f"weights_sha256={HASH}", "weights=imagenet"]),
    ],
)
def test_contradictions_are_refused_by_the_names_of_their_settings(
    assignments: list[str], named: list[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_settings(assignments=assignments)
    assert all(name in refusal.value.message for name in named)


def test_every_contradiction_is_listed() -> None:
    assignments = ["training.strategy=lora", "model.weights=none", "training.finetune_blocks=0"]
    with pytest.raises(ConfigError) as refusal:
        load_settings(assignments=assignments)
    assert len(refusal.value.message.splitlines()) == 2


@pytest.mark.parametrize(
    "assignments",
    [
        [],
        ["model.weights=none"],
        ["training.strategy=full", "model.weights=none"],
        ["training.strategy=lora"],
        ["training.devices=4", "training.device_batch_size=2"],
        ["training.strategy=full", "training.device_batch_size=8", "training.devices=4"],
        ["training.strategy=full", "training.sharding=fsdp"],
        ["training.strategy=linear", "training.finetune_blocks=0"],
        ["training.strategy=lora", "model.backbone=attention_cnn", "model.weights=file.safetensors"],
        ["model.hub_url=s3://b/hub", f"model.weights_sha256={HASH}"],
        ["model.weights=file.safetensors", f"model.weights_sha256={HASH}"],
    ],
)
def test_what_fits_together_is_accepted(assignments: list[str]) -> None:
    assert load_settings(assignments=assignments)
