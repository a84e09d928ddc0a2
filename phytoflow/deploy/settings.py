"""Settings of the published predictor, on this machine or on a cluster."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phytoflow.settings_base import PodSection, Quantity, Section


class ServingSettings(Section):
    """The published predictor."""

    name: str = Field(
        "leaf", pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", description="Name of the served model."
    )
    publish: bool = Field(True, description="Publish after the gate.")
    target: Literal["auto", "local", "cluster"] = Field(
        "auto",
        description="local: a process on this machine; cluster: an InferenceService (deploy.*); "
        "auto: cluster if the output is in an object store, else local.",
    )
    http_port: int = Field(
        0, ge=0, le=65535, description="REST port of the local predictor. 0 selects a free one."
    )
    grpc_port: int = Field(
        0, ge=0, le=65535, description="gRPC port of the local predictor. 0 selects a free one."
    )
    runtime: Literal["auto", "torchscript", "onnx", "openvino"] = Field(
        "auto", description="Runtime of the model. auto measures which one is fastest."
    )
    ready_timeout_seconds: float = Field(
        120, gt=0, description="Longest wait in seconds for the predictor to become ready."
    )


class DeploySettings(PodSection):
    """The InferenceService on a cluster."""

    namespace: str = Field(
        "", description="Namespace. Empty selects that of the kubeconfig's context or of this pod."
    )
    runtime: str = Field("phytoflow-predictor", description="ServingRuntime of the predictor.")
    image: str = Field("", description="Image of the predictor. Empty selects that of the ServingRuntime.")
    extra_args: tuple[str, ...] = Field((), description="Additional arguments of the predictor.")
    service_account: str = Field(
        "phytoflow-predictor", description="ServiceAccount whose Secret holds the object store's keys."
    )
    cpu: Quantity = Field("1", description="CPU limit of a replica, in Kubernetes notation.")
    memory: Quantity = Field(
        "2Gi",
        description="Memory limit of a replica. The default holds several of the largest photos at once.",
    )
    cpu_request: Quantity = Field("250m", description="CPU request of a replica.")
    memory_request: Quantity = Field("512Mi", description="Memory request of a replica.")
    accelerators: int = Field(0, ge=0, description="Number of GPUs of a replica.")
    accelerator_type: str = Field("nvidia.com/gpu", description="Resource name of the GPU.")
    surge_accelerator: bool = Field(
        False, description="A spare GPU is free, so new pods start before old ones stop."
    )
    node_selector: dict[str, str] = Field({}, description="Labels that the node of a replica must have.")
    tolerations: tuple[str, ...] = Field((), description="Taint keys that a replica tolerates.")
    priority_class: str = Field(
        "phytoflow-serving", description="PriorityClass of the replicas. Empty selects the cluster's default."
    )
    min_replicas: int = Field(1, ge=1, description="Minimum number of replicas.")
    max_replicas: int = Field(3, ge=1, description="Maximum number of replicas.")
    canary_percent: int = Field(
        0,
        ge=0,
        le=100,
        description="Percent of the V2 requests through Gateway API that a bundle gets next to the published "
        "one; 0 replaces it. Needs KServe 0.21 or later.",
    )
    autoscaling: Literal["keda", "hpa", "none"] = Field(
        "keda", description="keda: on requests, from Prometheus; hpa: on CPU; none: min_replicas only."
    )
    requests_per_replica: float = Field(
        4,
        gt=0,
        description="keda: requests in progress plus queued photos per replica above which one is added.",
    )
    cpu_percent: int = Field(70, ge=1, le=100, description="hpa: target CPU usage in percent of the request.")
    prometheus_url: str = Field(
        "http://prometheus.monitoring:9090", description="keda: address of Prometheus."
    )
    ready_timeout_seconds: float = Field(
        300, gt=0, description="Longest wait in seconds for all replicas to become ready."
    )
    startup_timeout_seconds: float = Field(
        60, gt=0, description="A predictor that runs for this many seconds without becoming ready has failed."
    )

    @model_validator(mode="after")
    def _replicas_are_a_range(self) -> DeploySettings:
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas is less than min_replicas")
        return self
