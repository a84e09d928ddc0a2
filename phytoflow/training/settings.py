"""Settings of the training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phytoflow.settings_base import SearchChoices, SearchRange, Section, Share

_FULL = ("full",)  # varied by that preset of a search alone
Strategy = Literal["partial", "linear", "full", "lora", "adapter", "bitfit"]
PLACEMENT = frozenset({"devices", "nodes", "device_batch_size", "sharding", "group_timeout_minutes"})
"""Settings that say where a training runs: its result and its checkpoints are the same for all of them."""


class TrainingSettings(Section):
    """Training in two stages: a head on frozen features, then fine-tuning of the last blocks."""

    augmentation: Annotated[Literal["none", "light", "outdoor"], SearchChoices(("none", "light"), _FULL)] = (
        Field("light", description="Augmentation preset; outdoor imitates light, weather and bad cameras.")
    )
    cached_views: int | None = Field(
        None,
        ge=1,
        description="Views of each training photo that are cached: the photo as it is, and augmented ones. "
        "Default: 3; 8 for a set that is cross-validated, or under the outdoor preset; 16 for both.",
    )
    activation_cache_bytes: int = Field(
        8 * 2**30,
        ge=0,
        description="Maximum disk space for cached activations; sets that need more run the trunk live.",
    )
    head_epochs: int = Field(60, ge=1, description="Maximum epochs of an mlp head; a linear one is solved.")
    head_learning_rate: float = Field(1e-3, gt=0, description="Learning rate of an mlp head.")
    strategy: Annotated[Strategy, SearchChoices(("partial", "linear", "lora", "bitfit"))] = Field(
        "partial",
        description="What is trained: the head and, of the last blocks, all weights (partial), low-rank "
        "changes of them (lora, adapter), their biases (bitfit), or nothing (linear); or every layer, from "
        "photos (full).",
    )
    rank: Annotated[int, SearchChoices((4, 8, 16), _FULL)] = Field(
        8, ge=1, le=256, description="Rank of what lora and adapter add to each layer."
    )
    finetune_blocks: Annotated[int, SearchChoices((4, 8, 12), _FULL)] = Field(
        8, ge=0, description="Number of last blocks that are fine-tuned; 0: only the head is trained."
    )
    finetune_epochs: int = Field(
        3,
        ge=0,
        description="Maximum epochs of fine-tuning, unless min_finetune_steps needs more; 0: only the head "
        "is trained.",
    )
    min_finetune_steps: int = Field(
        120, ge=0, description="Minimum steps of fine-tuning: small sets go through more epochs."
    )
    finetune_learning_rate: Annotated[float, SearchRange(2e-4, 3e-3)] = Field(
        7e-4, gt=0, description="Learning rate of fine-tuning."
    )
    train_depthwise: bool = Field(
        False, description="Fine-tune depthwise filters too: a step then takes a third longer on CPUs."
    )
    cross_validate_below: int = Field(
        600, ge=0, description="Sets of up to this many training and validation photos are cross-validated."
    )
    folds: int = Field(3, ge=2, description="Folds of the cross-validation.")
    evaluated_folds: int = Field(
        3,
        ge=1,
        description="Folds that are evaluated, a fit each; fewer take less time and are less certain.",
    )
    min_improvement_se: float = Field(
        0.0,
        ge=0,
        description="Fine-tuning is used only if it lowers the loss by more than this many standard errors.",
    )
    end_to_end_epochs: int = Field(
        30,
        ge=1,
        description="Maximum epochs of training every layer (strategy full, or no pretrained weights).",
    )
    end_to_end_learning_rate: float = Field(1e-3, gt=0, description="Learning rate of training every layer.")
    batch_size: int = Field(32, ge=1, description="Photos in a batch.")
    weight_decay: Annotated[float, SearchRange(1e-5, 1e-2, _FULL)] = Field(
        1e-4, ge=0, description="Decoupled weight decay (AdamW)."
    )
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine", description="Learning-rate schedule."
    )
    early_stopping_patience: int = Field(
        4, ge=1, description="Epochs without a lower validation loss before a fit stops."
    )
    class_balancing: Annotated[Literal["none", "sampler", "loss"], SearchChoices(("none", "loss"), _FULL)] = (
        Field(
            "loss",
            description="Balancing of unequal classes: how often photos are drawn, or weights in the loss.",
        )
    )
    label_smoothing: Annotated[Share, SearchChoices((0.0, 0.05, 0.1))] = Field(
        0.05, description="Label smoothing (Szegedy 2016)."
    )
    mixup: Annotated[float, SearchChoices((0.0, 0.2))] = Field(
        0.0, ge=0, description="Beta parameter of MixUp (Zhang 2018); 0: off."
    )
    cutmix: float = Field(0.0, ge=0, description="Beta parameter of CutMix (Yun 2019); 0: off.")
    ema_decay: float = Field(
        0.98, ge=0, lt=1, description="Decay of the exponential moving average of the weights; 0: off."
    )
    precision: Literal["auto", "float32", "bf16", "fp16"] = Field(
        "auto", description="Arithmetic; auto: bf16 or fp16 on a GPU, float32 on CPUs."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device; auto: a GPU if there is one.")
    num_workers: int = Field(
        0,
        ge=0,
        description="Loader processes; 0: none if CPUs train, and for a GPU up to 8 as /dev/shm has room.",
    )
    devices: int = Field(
        1,
        ge=1,
        le=64,
        description="Training processes on a machine, one for each GPU; on CPUs they share the cores.",
    )
    nodes: int = Field(
        1,
        ge=1,
        le=256,
        description="Machines that train together: with torchrun, or in a pipeline as a TrainJob.",
    )
    device_batch_size: int | None = Field(
        None,
        ge=1,
        description="Maximum photos that a process computes at once; gradients of larger shares of a batch "
        "are accumulated. Default: the whole share.",
    )
    sharding: Literal["ddp", "fsdp"] = Field(
        "ddp",
        description="What each process holds of the network that is trained: all of it (ddp), or a part, for "
        "networks that do not fit a GPU (fsdp).",
    )
    group_timeout_minutes: float = Field(
        10, gt=0, le=1440, description="How long a training process waits for another that does not answer."
    )

    def without_placement(self) -> TrainingSettings:
        """These settings with the defaults of those that do not change the result."""
        return TrainingSettings(**self.model_dump(exclude=set(PLACEMENT)))

    @property
    def processes(self) -> int:
        """Number of training processes on all machines."""
        return self.devices * self.nodes

    @property
    def tuned_blocks(self) -> int:
        """Number of last blocks that the second stage changes; 0 if there is no such stage."""
        return self.finetune_blocks if self.finetune_epochs and self.strategy != "linear" else 0
