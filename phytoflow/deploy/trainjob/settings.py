"""Settings of the TrainJob."""

from __future__ import annotations

from pydantic import Field

from phytoflow.settings_base import PodSection, Quantity


class TrainJobSettings(PodSection):
    """The TrainJob of Kubeflow Trainer that trains with training.nodes machines of a cluster."""

    enabled: bool = Field(
        False, description="Train as a TrainJob on one machine, too; several machines always do."
    )
    namespace: str = Field(
        "", description="Namespace. Empty selects that of the kubeconfig's context or of the step's pod."
    )
    runtime: str = Field("phytoflow-training", description="TrainingRuntime in that namespace.")
    image: str = Field("", description="Image of the pods. Empty selects that of the step's pod.")
    queue: str = Field("", description="Queue of Kueue that admits the TrainJob. Empty: none.")
    cpu: Quantity = Field("8", description="CPU limit of a pod, in Kubernetes notation.")
    memory: Quantity = Field("24Gi", description="Memory limit of a pod.")
    cpu_request: Quantity = Field("1", description="CPU request of a pod.")
    memory_request: Quantity = Field("4Gi", description="Memory request of a pod.")
    accelerator_type: str = Field(
        "", description="Resource name of the GPU; each pod has training.devices of it. Empty: CPUs train."
    )
    node_selector: dict[str, str] = Field({}, description="Labels that the node of a pod must have.")
    tolerations: tuple[str, ...] = Field((), description="Taint keys that a pod tolerates.")
    shared_memory: Quantity = Field("2Gi", description="Size of the memory-backed /dev/shm of a pod.")
    secret: str = Field("phytoflow-s3", description="Secret with the keys of the object store and MLflow.")
    config_map: str = Field("phytoflow", description="ConfigMap with the addresses of stores and MLflow.")
    start_timeout_minutes: float = Field(
        60, gt=0, description="Longest wait for all pods to run; for a queue or a GPU this may be long."
    )
