"""The pipeline that searches for better settings first, and then trains and publishes with the best."""

from functools import partial
from typing import Any

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from components.configure import configure
from components.finish import finish
from components.search.conclude_search import conclude_search
from components.search.configure_search import configure_search
from components.search.open_search import open_search
from components.search.work_on_search import work_on_search
from pipelines.compile_options import CompileOptions
from pipelines.stages import make_dataset, train_and_publish
from pipelines.task_config import configure_task

NAME = "phytoflow-search"


def build(options: CompileOptions) -> BaseComponent:
    """Builds the pipeline.

    Args:
        options: Number of workers, images, sizes and placement.

    Returns:
        The pipeline: kfp compiles it, or runs it when it is called.
    """
    uncached = partial(configure_task, options=options, cache=False)

    @dsl.pipeline(
        name=NAME, description="Photos in class folders to a published predictor, by way of a search."
    )
    def search_and_train(
        data: str = "sample",
        output: str = "output",
        preset: str = "default",
        seed: int = 0,
        overrides: str = "",
        search: str = "",
    ) -> None:
        """Searches for settings, then trains, evaluates, gates and publishes an image classifier.

        Args:
            data: Class folders of photos: s3://, gs://, an https archive, a folder (/photos), or sample.
            output: Folder or s3:// prefix for report and bundle; it names the study.
            preset: default, fast, accurate, low-memory or production.
            seed: Seed of the split, the augmentation and the training.
            overrides: YAML of settings that are not varied, e.g. "gate: {min_accuracy: 0.9}".
            search: YAML of what `phytoflow tune` takes as options, e.g. "{preset: full, trials: 50}".
        """
        given = {"data": data, "preset": preset, "seed": seed, "output": output}
        with dsl.ExitHandler(uncached(finish(output=output)), name="run"):
            plan = uncached(configure_search(overrides=overrides, search=search, **given)).outputs
            photos = make_dataset(data, plan, options)
            best = find_settings(photos, plan["for_search"], output, options)
            tuned = uncached(configure(overrides=best, **given)).outputs
            train_and_publish(photos, tuned, output, options)

    return search_and_train


def find_settings(photos: Any, settings: Any, output: Any, options: CompileOptions) -> Any:
    """Lets workers run trials of one study side by side, and concludes it.

    Workers take no output of another task as a parameter: in a loop, KFP's local runner replaces those by the
    item of the loop (kfp 2.17). What they need to know comes as an artifact.

    Args:
        photos: The artifact of the dataset.
        settings: What the steps of the search read.
        output: The pipeline's parameter.
        options: Number of workers, images, sizes and placement.

    Returns:
        The best settings as YAML.
    """
    uncached = partial(configure_task, options=options, cache=False)
    opened = uncached(open_search(dataset=photos, settings=settings, output=output)).outputs["search"]
    with dsl.ParallelFor(items=list(range(options.workers)), name="workers") as worker:
        done = uncached(work_on_search(dataset=photos, search=opened, worker=worker, output=output)).output
    concluded = conclude_search(dataset=photos, search=opened, workers=dsl.Collected(done), output=output)
    return uncached(concluded).outputs["Output"]
