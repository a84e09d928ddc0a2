"""Typed settings: one class a concern, validated where they enter.

A file (YAML) is read first, ``key=value`` overrides are laid on top, and presets fill what is left
unsaid. See ``phytoflow.config.loader`` for reading; this module only says what there is.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]

Backbone = Literal[
    "tf_efficientnet_lite0",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "mobilenetv3_large_100",
    "vgg16",
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "attention_cnn",
]
BACKBONES: tuple[str, ...] = get_args(Backbone)


class Section(BaseModel):
    """A group of settings: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class DataSettings(Section):
    """Which photos are used and how they are split."""

    groups_csv: str = Field("", description="CSV with columns path,group: photos of one thing share a group.")
    group_pattern: str = Field(
        "",
        description="Regular expression on file names; its group(s) name the thing shown. A named group "
        "'number' groups runs of neighbouring camera numbers in a class. Empty: PlantVillage's names.",
    )
    number_gap: int = Field(
        10,
        ge=0,
        description="Camera numbers this close may be one thing; long runs are cut where photos change.",
    )
    near_duplicate_bits: int = Field(
        6, ge=0, le=32, description="Perceptual hashes (64 bit) this close are one thing."
    )
    validation_fraction: Fraction = Field(0.1, description="Share of photos for validation.")
    test_fraction: Fraction = Field(0.2, description="Share of photos for the test.")
    max_pixels: int = Field(100_000_000, gt=0, description="Photos with more pixels are refused (bombs).")
    max_bytes: int = Field(64 * 2**20, gt=0, description="Files with more bytes are refused.")
    min_side: int = Field(16, gt=0, description="Photos with a shorter side, in pixels, are refused.")
    shard_bytes: int = Field(
        128 * 2**20, gt=0, description="A shard is closed once it holds this many bytes."
    )
    threads: int = Field(0, ge=0, description="Threads for reading photos; 0: as many as there are CPUs.")

    @model_validator(mode="after")
    def _leaves_photos_to_train_on(self) -> DataSettings:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        return self


class ModelSettings(Section):
    """The network."""

    backbone: Backbone = Field("tf_efficientnet_lite0", description="timm model name, or attention_cnn.")
    head: Literal["linear", "mlp"] = Field("linear", description="linear, or GAP-BN-Dense256-Dropout (mlp).")
    weights: str = Field("imagenet", description="imagenet, none, or a file or URI of weights (safetensors).")
    image_size: int = Field(0, ge=0, le=1024, description="Input side in pixels; 0: the backbone's own.")
    dropout: Share = Field(0.4, description="Dropout rate of the mlp head.")


class TrainingSettings(Section):
    """The two stages: the head on frozen features, then the last blocks at a lower rate."""

    augmentation: Literal["none", "light", "field"] = Field("light", description="Augmentation preset.")
    views: int | None = Field(
        None,
        ge=1,
        description="Views of each training photo kept: as it is, and augmented ones. Unsaid, three; "
        "eight of a small set, which is cross-validated, or under the field preset, of many conditions; of "
        "a small set under it sixteen.",
    )
    activation_bytes: int = Field(
        8 * 2**30, ge=0, description="Most disk for kept activations; beyond it the trunk runs live."
    )
    head_epochs: int = Field(60, ge=1, description="Most epochs of an mlp head; a linear one is solved.")
    head_rate: float = Field(1e-3, gt=0, description="Learning rate of an mlp head.")
    tail_blocks: int = Field(8, ge=0, description="Last blocks unfrozen in stage two; 0: stage one only.")
    tail_epochs: int = Field(3, ge=0, description="Most epochs of stage two; 0: stage one only.")
    tail_steps: int = Field(
        120, ge=0, description="Least steps of stage two: small sets go through more epochs."
    )
    tail_rate: float = Field(7e-4, gt=0, description="Learning rate of stage two.")
    tune_spatial: bool = Field(
        False, description="Tune depthwise (spatial) filters in stage two too: a third more time a step."
    )
    cross_validate: int = Field(
        600, ge=0, description="Up to this many training and validation photos are cross-validated."
    )
    folds: int = Field(3, ge=2, description="Folds of the cross-validation.")
    judged_folds: int = Field(
        3, ge=1, description="Folds that judge, each a fit of its own; fewer are quicker and less sure."
    )
    caution: float = Field(
        0.0, ge=0, description="Standard errors by which stage two must beat stage one to be used."
    )
    end_to_end: bool = Field(
        False, description="Train every layer from photos; always so for networks without pretrained weights."
    )
    whole_epochs: int = Field(30, ge=1, description="Most epochs end to end.")
    whole_rate: float = Field(1e-3, gt=0, description="Learning rate end to end.")
    batch_size: int = Field(32, ge=1, description="Photos a step.")
    weight_decay: float = Field(1e-4, ge=0, description="Decoupled weight decay (AdamW).")
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine", description="Learning-rate schedule."
    )
    patience: int = Field(4, ge=1, description="Epochs without better validation before a stage stops.")
    imbalance: Literal["none", "sampler", "loss"] = Field("loss", description="How class imbalance is met.")
    label_smoothing: Share = Field(0.05, description="Label smoothing (Szegedy 2016).")
    mixup: float = Field(0.0, ge=0, description="Mixup's Beta parameter (Zhang 2018); 0: off.")
    cutmix: float = Field(0.0, ge=0, description="CutMix's Beta parameter (Yun 2019); 0: off.")
    ema_decay: float = Field(0.98, ge=0, lt=1, description="Decay of the averaged model; 0: off.")
    precision: Literal["auto", "float32", "bf16", "fp16"] = Field(
        "auto", description="auto: bf16/fp16 where a GPU has it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    workers: int = Field(
        0,
        ge=0,
        description="Loader processes; 0: none where CPUs train, beside a GPU up to 8 that /dev/shm holds.",
    )


class ExportSettings(Section):
    """The forms the model is exported to, and how close each must be."""

    formats: tuple[Literal["torchscript", "onnx"], ...] = Field(
        ("torchscript", "onnx"), min_length=1, description="Forms written into the bundle."
    )
    max_probability_difference: float = Field(
        1e-3, gt=0, description="Largest allowed difference of a probability."
    )
    min_top1_agreement: Share = Field(0.999, description="Least share of photos given the same class.")
    probe_photos: int = Field(
        8, ge=1, le=64, description="Test photos kept in the bundle with their answers."
    )
    max_parity_photos: int = Field(256, ge=1, description="Most test photos compared.")
    int8: bool = Field(
        False, description="Also try static int8; kept only where it agrees and is really faster here."
    )
    int8_photos: int = Field(128, ge=8, description="Training photos that calibrate int8.")
    int8_agreement: Share = Field(0.99, description="Least share of photos given float's class.")
    int8_loss: Share = Field(0.01, description="Most accuracy that int8 may lose on test photos.")
    open_set_photos: int = Field(
        2000, ge=0, description="Most training photos that describe what is known; 0: strangers go unnoticed."
    )
    open_set_refused: Fraction = Field(
        0.03, description="Share of known photos that may be taken for strangers."
    )

    @model_validator(mode="after")
    def _int8_is_made_from_onnx(self) -> ExportSettings:
        if self.int8 and "onnx" not in self.formats:
            raise ValueError("int8 is made from onnx, which formats leaves out")
        return self


class EvaluationSettings(Section):
    """How the figures are made."""

    bootstrap_samples: int = Field(1000, ge=100, description="Resamples of groups behind each interval.")
    confidence: Fraction = Field(0.95, description="Confidence of the intervals.")
    calibration_bins: int = Field(15, ge=2, description="Bins of the expected calibration error (Guo 2017).")
    latency_photos: int = Field(50, ge=5, description="Photos timed, one at a time, for the mean latency.")
    audit_photos: int = Field(
        3000, ge=0, description="Photos looked at for leaks and telling backgrounds, about; 0: none."
    )
    thorough: bool = Field(
        False,
        description="Also measure what takes minutes: accuracy under blur, noise, shadow and the like; what "
        "each form and test-time augmentation costs and brings.",
    )
    robustness_photos: int = Field(200, ge=10, description="Test photos corrupted, where thorough.")
    ways_photos: int = Field(
        300, ge=10, description="Test photos asked in every form and with views averaged, where thorough."
    )
    strangers: str = Field(
        "",
        description="Photos that show none of the classes, from wherever photos may come; how many are "
        "noticed is reported.",
    )
    strangers_version: str = Field(
        "", description="Set by a run itself: changes when those photos do, so that figures are not stale."
    )
    field: str = Field(
        "", description="Class folders of labelled photos from elsewhere; how much is lost there is reported."
    )
    field_classes: str = Field(
        "", description="CSV with columns folder,class: what folders of field show whose names do not say."
    )
    field_version: str = Field(
        "", description="Set by a run itself: changes when those photos do, so that figures are not stale."
    )


class GateSettings(Section):
    """What a model must show before it is published."""

    min_accuracy: Share = Field(0.80, description="Least test accuracy.")
    min_macro_f1: Share = Field(0.80, description="Least test macro-F1.")
    max_latency_ms: float = Field(50.0, gt=0, description="Most mean latency of one photo, milliseconds.")
    compare_champion: bool = Field(True, description="Refuse a model worse than the champion beyond noise.")


class TrackingSettings(Section):
    """Where runs and models are recorded."""

    uri: str = Field(
        "", description="MLflow tracking URI; empty: MLFLOW_TRACKING_URI, else SQLite in the output folder."
    )
    experiment: str = Field("phytoflow", description="MLflow experiment.")
    registered_model: str = Field("leaf", description="Name in MLflow's model registry.")


class ServingSettings(Section):
    """The published predictor."""

    name: str = Field(
        "leaf", pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", description="Name of the served model."
    )
    publish: bool = Field(True, description="Publish after the gate.")
    target: Literal["auto", "local", "cluster"] = Field(
        "auto",
        description="local: a process beside the run; cluster: an InferenceService (deploy.*); auto: the "
        "latter where the output is in an object store.",
    )
    http_port: int = Field(0, ge=0, le=65535, description="REST port of the local predictor; 0: a free one.")
    grpc_port: int = Field(0, ge=0, le=65535, description="gRPC port of the local predictor; 0: a free one.")
    runtime: Literal["auto", "torchscript", "onnx", "openvino"] = Field(
        "auto", description="What runs the model."
    )
    ready_seconds: float = Field(120, gt=0, description="Longest wait for the predictor to become ready.")


class DeploySettings(Section):
    """The InferenceService on a cluster."""

    namespace: str = Field("", description="Namespace; empty: the kubeconfig context's, or this pod's own.")
    runtime: str = Field("phytoflow-predictor", description="ServingRuntime of the predictor.")
    image: str = Field("", description="Image of the predictor; empty: the runtime's.")
    arguments: tuple[str, ...] = Field((), description="Further arguments of the predictor.")
    service_account: str = Field(
        "phytoflow-predictor", description="ServiceAccount whose Secret opens the object store."
    )
    cpu: str = Field("1", description="CPU limit of a replica, Kubernetes notation.")
    memory: str = Field("1Gi", description="Memory limit of a replica.")
    cpu_request: str = Field("250m", description="CPU that a node must have free for a replica.")
    memory_request: str = Field("512Mi", description="Memory that a node must have free for a replica.")
    accelerators: int = Field(0, ge=0, description="GPUs of a replica.")
    accelerator_type: str = Field("nvidia.com/gpu", description="Resource name of the GPU.")
    spare_accelerator: bool = Field(
        False, description="More GPUs are free than are in use: new pods start before old ones go."
    )
    node_selector: dict[str, str] = Field({}, description="Labels that a replica's node must have.")
    tolerations: tuple[str, ...] = Field((), description="Taint keys that a replica tolerates.")
    priority_class: str = Field(
        "phytoflow-serving", description="PriorityClass of the replicas; empty: the cluster's default."
    )
    min_replicas: int = Field(1, ge=1, description="Least replicas.")
    max_replicas: int = Field(3, ge=1, description="Most replicas.")
    autoscaling: Literal["keda", "hpa", "none"] = Field(
        "keda", description="keda: on requests, from Prometheus; hpa: on CPU; none: min_replicas."
    )
    requests_per_replica: float = Field(
        4,
        gt=0,
        description="keda: requests being answered and photos queued, a replica, before one is added.",
    )
    cpu_percent: int = Field(70, ge=1, le=100, description="hpa: CPU used, of what is requested.")
    prometheus: str = Field("http://prometheus.monitoring:9090", description="keda: where to ask.")
    ready_seconds: float = Field(300, gt=0, description="Longest wait for all replicas to become ready.")
    start_seconds: float = Field(
        60, gt=0, description="A predictor that runs this long without becoming ready has failed."
    )

    @model_validator(mode="after")
    def _replicas_are_a_range(self) -> DeploySettings:
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas is less than min_replicas")
        return self


class Settings(Section):
    """Everything one run needs to know."""

    preset: Literal["default", "fast", "accurate", "low-memory", "production"] = Field(
        "default", description="What the settings left unsaid are taken from."
    )
    seed: int = Field(0, ge=0, description="Seed of the split, the augmentation and the training.")
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    export: ExportSettings = ExportSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    tracking: TrackingSettings = TrackingSettings()
    serving: ServingSettings = ServingSettings()
    deploy: DeploySettings = DeploySettings()


PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "default": {},
    "fast": {"training": {"views": 1, "augmentation": "none", "tail_blocks": 0}},
    "accurate": {"training": {"views": 8, "tail_epochs": 10, "tail_blocks": 12, "mixup": 0.2}},
    "low-memory": {"training": {"views": 2, "batch_size": 8, "tail_blocks": 3}},
    "production": {
        "training": {"tail_epochs": 8, "augmentation": "field"},
        "gate": {"min_accuracy": 0.90, "min_macro_f1": 0.90},
    },
}
