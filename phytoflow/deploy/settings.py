"""Settings of the published predictor, on this machine or a cluster."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phytoflow.settings_base import Section


class ServingSettings(Section):
    """The published predictor."""

    name: str = Field(
        "leaf", pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", description="Name of the served model."
    )
    publish: bool = Field(True, description="Publish after the gate.")
    target: Literal["auto", "local", "cluster"] = Field(
        "auto",
        description="local: a process on this machine; cluster: an InferenceService (deploy.*); auto: the "
        "latter where the output is in an object store.",
    )
    http_port: int = Field(0, ge=0, le=65535, description="REST port of the local predictor; 0: a free one.")
    grpc_port: int = Field(0, ge=0, le=65535, description="gRPC port of the local predictor; 0: a free one.")
    runtime: Literal["auto", "torchscript", "onnx", "openvino"] = Field(
        "auto", description="What runs the model."
    )
    ready_timeout_seconds: float = Field(
        120, gt=0, description="Longest wait for the predictor to become ready."
    )


class DeploySettings(Section):
    """The InferenceService on a cluster."""

    namespace: str = Field("", description="Namespace; empty: the kubeconfig context's, or this pod's own.")
    runtime: str = Field("phytoflow-predictor", description="ServingRuntime of the predictor.")
    image: str = Field("", description="Image of the predictor; empty: the runtime's.")
    extra_args: tuple[str, ...] = Field((), description="Further arguments of the predictor.")
    service_account: str = Field(
        "phytoflow-predictor", description="ServiceAccount whose Secret opens the object store."
    )
    cpu: str = Field("1", description="CPU limit of a replica, Kubernetes notation.")
    memory: str = Field("1Gi", description="Memory limit of a replica.")
    cpu_request: str = Field("250m", description="CPU that a node must have free for a replica.")
    memory_request: str = Field("512Mi", description="Memory that a node must have free for a replica.")
    accelerators: int = Field(0, ge=0, description="GPUs of a replica.")
    accelerator_type: str = Field("nvidia.com/gpu", description="Resource name of the GPU.")
    surge_accelerator: bool = Field(
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
    prometheus_url: str = Field("http://prometheus.monitoring:9090", description="keda: where to ask.")
    ready_timeout_seconds: float = Field(
        300, gt=0, description="Longest wait for all replicas to become ready."
    )
    startup_timeout_seconds: float = Field(
        60, gt=0, description="A predictor that runs this long without becoming ready has failed."
    )

    @model_validator(mode="after")
    def _replicas_are_a_range(self) -> DeploySettings:
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas is less than min_replicas")
        return self
