"""Refuses settings that are allowed one by one but contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError

_NEEDS_BLOCKS = ("lora", "adapter", "bitfit")


def check_combinations(settings: RunSettings) -> None:
    """Refuses contradicting settings.

    Raises:
        ConfigError: Lists every contradiction.
    """
    if faults := list(_find_contradictions(settings)):
        raise ConfigError("\n".join(faults), remedy="change one of the settings that are named")


def _find_contradictions(settings: RunSettings) -> Iterator[str]:
    training, model = settings.training, settings.model
    strategy = f"training.strategy={training.strategy}"
    if training.strategy not in ("partial", "full") and not model.pretrained:
        weights = f"model.backbone={model.backbone} with model.weights={model.weights}"
        yield f"{strategy} keeps the backbone's weights, and {weights} has no pretrained ones"
    if training.processes > training.batch_size:
        processes = f"training.devices={training.devices} on training.nodes={training.nodes}"
        yield f"training.batch_size={training.batch_size} is too small to be shared by {processes}"
    whole = training.strategy == "full" or not model.pretrained
    if (
        whole
        and (training.device_batch_size or training.batch_size) * training.processes < training.batch_size
    ):
        yield (
            f"training.device_batch_size={training.device_batch_size} accumulates gradients, and a network "
            "that is trained from the first layer on needs the whole batch for its batch norms"
        )
    if training.sharding == "fsdp" and training.strategy not in ("partial", "full"):
        yield f"training.sharding=fsdp shards what is trained, and {strategy} trains too little for it"
    if training.sharding == "fsdp" and training.precision == "fp16":
        yield "training.sharding=fsdp does not train in training.precision=fp16; bf16 and float32 are allowed"
    if training.device == "cpu" and training.precision == "fp16":
        yield "training.precision=fp16 needs a GPU, and training.device=cpu trains without"
    if training.strategy in _NEEDS_BLOCKS and not training.tuned_blocks:
        fields = "training.finetune_blocks and training.finetune_epochs"
        yield f"{strategy} trains part of the last blocks, and needs {fields} above 0"
    hashed = model.weights not in ("imagenet", "none") or model.mirrored
    if model.weights_sha256 and not hashed:
        weights = f"model.backbone={model.backbone} with model.weights={model.weights}"
        yield (
            f"model.weights_sha256={model.weights_sha256} is the hash of a file, and {weights} reads none: "
            "name one in model.weights, or a mirror in model.hub_url"
        )
