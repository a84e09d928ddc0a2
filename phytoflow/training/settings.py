"""Settings of the training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phytoflow.settings_base import Section, Share


class TrainingSettings(Section):
    """The two stages: the head on frozen features, then the last blocks at a lower rate."""

    augmentation: Literal["none", "light", "outdoor"] = Field("light", description="Augmentation preset.")
    cached_views: int | None = Field(
        None,
        ge=1,
        description="Views of each training photo kept: as it is, and augmented ones. Unsaid, three; "
        "eight of a small set, which is cross-validated, or under the field preset, of many conditions; of "
        "a small set under it sixteen.",
    )
    activation_cache_bytes: int = Field(
        8 * 2**30, ge=0, description="Most disk for kept activations; beyond it the trunk runs live."
    )
    head_epochs: int = Field(60, ge=1, description="Most epochs of an mlp head; a linear one is solved.")
    head_learning_rate: float = Field(1e-3, gt=0, description="Learning rate of an mlp head.")
    finetune_blocks: int = Field(8, ge=0, description="Last blocks unfrozen in stage two; 0: stage one only.")
    finetune_epochs: int = Field(3, ge=0, description="Most epochs of stage two; 0: stage one only.")
    min_finetune_steps: int = Field(
        120, ge=0, description="Least steps of stage two: small sets go through more epochs."
    )
    finetune_learning_rate: float = Field(7e-4, gt=0, description="Learning rate of stage two.")
    train_depthwise: bool = Field(
        False, description="Tune depthwise (spatial) filters in stage two too: a third more time a step."
    )
    cross_validate_below: int = Field(
        600, ge=0, description="Up to this many training and validation photos are cross-validated."
    )
    folds: int = Field(3, ge=2, description="Folds of the cross-validation.")
    evaluated_folds: int = Field(
        3, ge=1, description="Folds that judge, each a fit of its own; fewer are quicker and less sure."
    )
    min_improvement_se: float = Field(
        0.0, ge=0, description="Standard errors by which stage two must beat stage one to be used."
    )
    end_to_end: bool = Field(
        False, description="Train every layer from photos; always so for networks without pretrained weights."
    )
    end_to_end_epochs: int = Field(30, ge=1, description="Most epochs end to end.")
    end_to_end_learning_rate: float = Field(1e-3, gt=0, description="Learning rate end to end.")
    batch_size: int = Field(32, ge=1, description="Photos a step.")
    weight_decay: float = Field(1e-4, ge=0, description="Decoupled weight decay (AdamW).")
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine", description="Learning-rate schedule."
    )
    early_stopping_patience: int = Field(
        4, ge=1, description="Epochs without better validation before a stage stops."
    )
    class_balancing: Literal["none", "sampler", "loss"] = Field(
        "loss", description="How class imbalance is met."
    )
    label_smoothing: Share = Field(0.05, description="Label smoothing (Szegedy 2016).")
    mixup: float = Field(0.0, ge=0, description="Mixup's Beta parameter (Zhang 2018); 0: off.")
    cutmix: float = Field(0.0, ge=0, description="CutMix's Beta parameter (Yun 2019); 0: off.")
    ema_decay: float = Field(0.98, ge=0, lt=1, description="Decay of the averaged model; 0: off.")
    precision: Literal["auto", "float32", "bf16", "fp16"] = Field(
        "auto", description="auto: bf16/fp16 where a GPU has it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    num_workers: int = Field(
        0,
        ge=0,
        description="Loader processes; 0: none where CPUs train, beside a GPU up to 8 that /dev/shm holds.",
    )
