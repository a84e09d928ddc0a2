"""Ends a run whose gate failed."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def refuse(reason: str) -> None:
    """Fails, so that the run is marked as failed and nothing is published.

    Args:
        reason: The conditions that did not hold.
    """
    from phytoflow.steps.context import step
    from phytoflow.steps.gate import refuse

    with step("gate"):
        refuse(reason)
