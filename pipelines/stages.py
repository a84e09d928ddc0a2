"""Parts that the pipelines share: from photos to a dataset, and from a dataset to a published predictor."""

from functools import partial
from typing import Any

from kfp import dsl

from components.evaluate import evaluate
from components.export import export
from components.gate import gate
from components.merge import merge
from components.preprocess import preprocess
from components.publish import publish
from components.refuse import refuse
from components.register import register
from components.scan import scan
from components.train import train
from pipelines.compile_options import CompileOptions
from pipelines.task_config import configure_task


def make_dataset(data: Any, plan: Any, options: CompileOptions) -> Any:
    """One preprocess step or, for several parts, a scan step for each part and one that merges them.

    Args:
        data: The pipeline's parameter.
        plan: Outputs of configure.
        options: Number of parts.

    Returns:
        The artifact of the dataset.
    """
    cached = partial(configure_task, options=options)
    versions = {"code_version": plan["code_version"], "settings": plan["for_preprocess"]}
    given = {"data": data, "data_version": plan["data_version"], **versions}
    if options.parts == 1:
        return cached(preprocess(**given)).outputs["dataset"]
    with dsl.ParallelFor(items=list(range(options.parts)), name="parts") as part:
        rows = cached(scan(part=part, parts=options.parts, **given)).outputs["rows"]
    return cached(merge(data=data, parts=dsl.Collected(rows), **versions)).outputs["dataset"]


def train_and_publish(photos: Any, plan: Any, output: Any, options: CompileOptions) -> None:
    """Trains, exports, evaluates and gates a model; a good one is registered and published.

    Args:
        photos: The artifact of the dataset.
        plan: Outputs of configure.
        output: The pipeline's parameter.
        options: Images, sizes and placement.
    """
    cached = partial(configure_task, options=options)
    uncached = partial(configure_task, options=options, cache=False)
    code = plan["code_version"]
    model = cached(
        train(dataset=photos, code_version=code, settings=plan["for_train"], output=output)
    ).outputs["model"]
    bundle = cached(
        export(model=model, dataset=photos, code_version=code, settings=plan["for_export"])
    ).outputs["bundle"]
    evaluation = cached(
        evaluate(
            bundle=bundle,
            dataset=photos,
            model=model,
            external_data_version=plan["external_data_version"],
            ood_data_version=plan["ood_data_version"],
            code_version=code,
            settings=plan["for_evaluate"],
            output=output,
        )
    ).outputs["evaluation"]
    judged = uncached(
        gate(
            bundle=bundle,
            dataset=photos,
            evaluation=evaluation,
            settings=plan["for_gate"],
            output=output,
        )
    )
    with dsl.If(judged.outputs["passed"] == True, name="good-enough"):  # noqa: E712 (kfp's syntax)
        registered = uncached(
            register(bundle=bundle, evaluation=evaluation, settings=plan["for_register"], output=output)
        ).outputs
        uncached(
            publish(
                registered=registered["registered"],
                dataset=photos,
                version=registered["version"],
                settings=plan["for_publish"],
                output=output,
            )
        )
    with dsl.Else(name="not-good-enough"):
        uncached(refuse(reason=judged.outputs["reason"]))
