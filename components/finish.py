"""Records how a run ended; it runs after every run."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def finish(status: dsl.PipelineTaskFinalStatus, output: str) -> None:
    """Writes output/outcome.json: the state, the reason if it failed, and where report and bundle are.

    Args:
        status: How the steps before ended; KFP gives it.
        output: Folder or s3:// prefix of the run.
    """
    from phytoflow.steps.context import step
    from phytoflow.steps.finish import finish

    with step("finish"):
        finish(status.state, status.error_message or "", output)
