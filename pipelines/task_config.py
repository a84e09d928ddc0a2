"""Gives each step its image, limits, credentials and node: what the local runner ignores."""

from kfp import kubernetes
from kfp.dsl.pipeline_task import PipelineTask

from pipelines.compile_options import CONFIGURATION, CREDENTIALS, PHOTOS_MOUNT, SIZES, CompileOptions

READS_PHOTOS = ("configure", "preprocess", "evaluate")  # the last: strangers, and photos from elsewhere


def place(task: PipelineTask, options: CompileOptions, *, cache: bool = True) -> PipelineTask:
    """Gives a step its image, limits, retries, caching, environment and labels.

    Args:
        task: The step, named as its component.
        options: What was settled at compile time.
        cache: Whether KFP may take the outputs of an earlier run on the same inputs.

    Returns:
        The task.
    """
    name = task.name.rstrip("-0123456789")
    size = SIZES[name]
    task.set_container_image(options.image)
    task.set_cpu_request(size.cpu_request).set_cpu_limit(size.cpu)
    task.set_memory_request(size.memory_request).set_memory_limit(size.memory)
    task.set_caching_options(cache)
    if size.retries and options.retries:
        task.set_retry(size.retries, backoff_duration="10s", backoff_factor=2)
    kubernetes.set_timeout(task, size.seconds)
    kubernetes.add_pod_label(task, "app.kubernetes.io/part-of", "phytoflow")
    kubernetes.add_pod_label(task, "app.kubernetes.io/component", name)
    _secure(task, options)
    _environment(task, options)
    if name == "train":
        _accelerate(task, options)
    if name in READS_PHOTOS and options.photos_volume:
        kubernetes.mount_pvc(task, pvc_name=options.photos_volume, mount_path=PHOTOS_MOUNT)
    return task


def _accelerate(task: PipelineTask, options: CompileOptions) -> None:
    """Asks for GPUs and the nodes that have them; loader processes get memory-backed /dev/shm."""
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=options.shared_memory)
    if options.accelerators:
        task.set_accelerator_type(options.accelerator_type).set_accelerator_limit(options.accelerators)
    for label, value in options.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for key in options.tolerations:
        kubernetes.add_toleration(task, key=key, operator="Exists", effect="NoSchedule")


def _environment(task: PipelineTask, options: CompileOptions) -> None:
    """Where stores are, and the keys to them: read from the namespace the run is in, if they are there."""
    if options.secret:
        keys = {key: key for key in CREDENTIALS}
        kubernetes.use_secret_as_env(task, options.secret, keys, optional=True)
    if options.config_map:
        keys = {key: key for key in CONFIGURATION}
        kubernetes.use_config_map_as_env(task, options.config_map, keys, optional=True)


def _secure(task: PipelineTask, options: CompileOptions) -> None:
    if options.image_pull_policy:
        kubernetes.set_image_pull_policy(task, options.image_pull_policy)
    if options.run_as_user is not None:
        kubernetes.set_security_context(
            task, run_as_user=options.run_as_user, run_as_group=options.run_as_group, run_as_non_root=True
        )
