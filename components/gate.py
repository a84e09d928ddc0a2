"""The publishing gate."""

from typing import NamedTuple

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def gate(
    bundle: dsl.Input[dsl.Model],
    dataset: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Artifact],
    settings: str,
    output: str,
    verdict: dsl.Output[dsl.Markdown],
) -> NamedTuple("Verdict", [("passed", bool), ("reason", str)]):  # type: ignore[valid-type]
    """Judges the metrics, and the bundle against the champion on the same photos.

    Args:
        bundle: From the export step.
        dataset: From the preprocess step.
        evaluation: From the evaluate step.
        settings: What this step reads of the run's settings, as JSON.
        output: Folder or s3:// prefix of the run; metrics, report and data page are delivered there.
        verdict: Each condition with its value and limit.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.gate import gate
    from phytoflow.steps.settings import GateStepSettings

    with step("gate"):
        judged = gate(
            Path(bundle.path),
            Path(dataset.path),
            Path(evaluation.path),
            GateStepSettings.from_json(settings),
            output,
        )
        Path(verdict.path).write_text(judged.markdown())
        return judged.passed, judged.reason
