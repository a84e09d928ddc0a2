"""The one pipeline, from photos to a published predictor: run here, compiled and submitted as it stands."""

from kfp import dsl, kubernetes
from kfp.dsl.base_component import BaseComponent
from kfp.dsl.pipeline_task import PipelineTask

from components.configure import configure
from components.evaluate import evaluate
from components.export import export
from components.gate import gate
from components.preprocess import preprocess
from components.publish import publish
from components.refuse import refuse
from components.register import register
from components.train import train
from pipelines.options import SIZES, CompileOptions

NAME = "phytoflow-training"


def build(options: CompileOptions = CompileOptions()) -> BaseComponent:  # noqa: B008 (frozen)
    """Makes the pipeline.

    Args:
        options: Images and placement.

    Returns:
        What kfp compiles, or calls to run it.
    """

    @dsl.pipeline(name=NAME, description="Photos in class folders to a published, checked predictor.")
    def training(
        data: str = "sample",
        output: str = "output",
        preset: str = "default",
        seed: int = 0,
        overrides: str = "",
    ) -> None:
        """Trains, judges and publishes a classifier of photographs.

        Args:
            data: Class folders of photos: a folder, s3://bucket/prefix, or sample for drawn leaves.
            output: Folder or s3:// prefix for checkpoints, report and bundle.
            preset: default, fast, accurate, low-memory or production.
            seed: Seed of the split, the augmentation and the training.
            overrides: YAML of further settings, e.g. "gate: {min_accuracy: 0.9}".
        """
        plan = _place(
            configure(data=data, preset=preset, seed=seed, overrides=overrides), options, cache=False
        )
        known = plan.outputs
        photos = _place(
            preprocess(
                data=data,
                data_version=known["data_version"],
                code_version=known["code_version"],
                settings=known["for_preprocess"],
            ),
            options,
        ).outputs["dataset"]
        fitted = train(
            dataset=photos, code_version=known["code_version"], settings=known["for_train"], output=output
        )
        model = _accelerate(_place(fitted, options), options).outputs["model"]
        bundle = _place(
            export(
                model=model, dataset=photos, code_version=known["code_version"], settings=known["settings"]
            ),
            options,
        ).outputs["bundle"]
        evaluation = _place(
            evaluate(
                bundle=bundle,
                dataset=photos,
                model=model,
                code_version=known["code_version"],
                settings=known["for_evaluate"],
                output=output,
            ),
            options,
        ).outputs["evaluation"]
        judged = _place(
            gate(
                bundle=bundle,
                dataset=photos,
                evaluation=evaluation,
                settings=known["settings"],
                output=output,
            ),
            options,
            cache=False,
        )
        with dsl.If(judged.outputs["passed"] == True, name="good-enough"):  # noqa: E712 (kfp's own syntax)
            registered = _place(
                register(bundle=bundle, evaluation=evaluation, settings=known["settings"], output=output),
                options,
                cache=False,
            )
            _place(
                publish(
                    registered=registered.outputs["registered"],
                    dataset=photos,
                    version=registered.outputs["version"],
                    settings=known["settings"],
                    output=output,
                ),
                options,
                cache=False,
            )
        with dsl.Else(name="not-good-enough"):
            _place(refuse(reason=judged.outputs["reason"]), options, cache=False)

    return training


def _place(task: PipelineTask, options: CompileOptions, *, cache: bool = True) -> PipelineTask:
    """Gives a step its image, limits, retries and caching."""
    size = SIZES[task.name.rstrip("-0123456789")]
    task.set_container_image(options.image)
    task.set_cpu_request(size.cpu).set_cpu_limit(size.cpu)
    task.set_memory_request(size.memory).set_memory_limit(size.memory)
    task.set_caching_options(cache)
    if size.retries and options.retries:
        task.set_retry(size.retries, backoff_duration="10s", backoff_factor=2)
    kubernetes.set_timeout(task, size.seconds)
    return task


def _accelerate(task: PipelineTask, options: CompileOptions) -> PipelineTask:
    """Asks for GPUs and the nodes that have them; loader processes get memory-backed /dev/shm."""
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=options.shared_memory)
    if options.accelerators:
        task.set_accelerator_type(options.accelerator_type).set_accelerator_limit(options.accelerators)
    for label, value in options.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for key in options.tolerations:
        kubernetes.add_toleration(task, key=key, operator="Exists", effect="NoSchedule")
    return task
