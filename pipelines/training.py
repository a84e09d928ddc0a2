"""The pipeline, from photos to a published predictor: the same for the local runner and a cluster."""

from functools import partial

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from components.configure import configure
from components.finish import finish
from pipelines.compile_options import CompileOptions
from pipelines.stages import make_dataset, train_and_publish
from pipelines.task_config import configure_task

NAME = "phytoflow-training"


def build(options: CompileOptions = CompileOptions()) -> BaseComponent:  # noqa: B008 (frozen)
    """Builds the pipeline.

    Args:
        options: Images, sizes and placement.

    Returns:
        The pipeline: kfp compiles it, or runs it when it is called.
    """
    uncached = partial(configure_task, options=options, cache=False)

    @dsl.pipeline(name=NAME, description="Photos in class folders to a published, checked predictor.")
    def training(
        data: str = "sample",
        output: str = "output",
        preset: str = "default",
        seed: int = 0,
        overrides: str = "",
    ) -> None:
        """Trains, evaluates, gates and publishes an image classifier.

        Args:
            data: Class folders of photos: s3://, gs://, an https archive, a folder (/photos), or sample.
            output: Folder or s3:// prefix for checkpoints, report and bundle.
            preset: default, fast, accurate, low-memory or production.
            seed: Seed of the split, the augmentation and the training.
            overrides: YAML of further settings, e.g. "gate: {min_accuracy: 0.9}".
        """
        with dsl.ExitHandler(uncached(finish(output=output)), name="run"):
            plan = uncached(
                configure(data=data, preset=preset, seed=seed, overrides=overrides, output=output)
            ).outputs
            photos = make_dataset(data, plan, options)
            train_and_publish(photos, plan, output, options)

    return training
