"""Image, limits, credentials and node of each step; the local runner ignores them."""

from kfp import kubernetes
from kfp.dsl.pipeline_task import PipelineTask

from phytoflow.deploy.trainjob.environment import CONFIGURATION, CREDENTIALS, STUDY_STORAGE
from pipelines.compile_options import PHOTOS_MOUNT, SIZES, CompileOptions

READS_PHOTOS = ("configure", "configure-search", "preprocess", "scan", "merge", "evaluate")
"""Steps that read photos; evaluate reads those of the external test set and out-of-distribution ones."""
TRAINS = ("train", "work-on-search", "conclude-search")
"""Steps that train: they get GPUs and their nodes."""
SHARES_STUDY = ("configure-search", "open-search", "work-on-search", "conclude-search")
"""Steps that open a search's study: they alone are given its database's address."""


def configure_task(task: PipelineTask, options: CompileOptions, *, cache: bool = True) -> PipelineTask:
    """Sets image, limits, retries, caching, environment and labels of a step.

    Args:
        task: The step, named like its component.
        options: Compile-time options.
        cache: Whether KFP may reuse the outputs of an earlier run on the same inputs.

    Returns:
        The same task.
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
    _set_security(task, options)
    _add_environment(task, options, (STUDY_STORAGE,) if name in SHARES_STUDY else ())
    if name in TRAINS:
        _add_accelerators(task, options)
    if name in READS_PHOTOS and options.photos_volume:
        kubernetes.mount_pvc(task, pvc_name=options.photos_volume, mount_path=PHOTOS_MOUNT)
    return task


def _add_accelerators(task: PipelineTask, options: CompileOptions) -> None:
    """Requests GPUs and their nodes, and a memory-backed /dev/shm for loader processes."""
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=options.shared_memory)
    if options.accelerators:
        task.set_accelerator_type(options.accelerator_type).set_accelerator_limit(options.accelerators)
    for label, value in options.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for key in options.tolerations:
        kubernetes.add_toleration(task, key=key, operator="Exists", effect="NoSchedule")


def _add_environment(task: PipelineTask, options: CompileOptions, secrets: tuple[str, ...]) -> None:
    """Reads addresses and keys of stores from a ConfigMap and a Secret in the run's namespace, if any."""
    if options.secret:
        keys = {key: key for key in (*CREDENTIALS, *secrets)}
        kubernetes.use_secret_as_env(task, options.secret, keys, optional=True)
    if options.config_map:
        keys = {key: key for key in CONFIGURATION}
        kubernetes.use_config_map_as_env(task, options.config_map, keys, optional=True)


def _set_security(task: PipelineTask, options: CompileOptions) -> None:
    if options.image_pull_policy:
        kubernetes.set_image_pull_policy(task, options.image_pull_policy)
    if options.run_as_user is not None:
        kubernetes.set_security_context(
            task, run_as_user=options.run_as_user, run_as_group=options.run_as_group, run_as_non_root=True
        )
