"""The command of one of several training processes, on every machine the same."""

from __future__ import annotations

import itertools

from phytoflow.steps.settings import TrainStepSettings

_MODULE = "phytoflow.cli.train_process"


def process_arguments(dataset: str, settings: TrainStepSettings, output: str) -> list[str]:
    """Arguments of the Python interpreter, or of torchrun, for one process.

    Args:
        dataset: Folder or URI that the preprocess step wrote.
        settings: What the train step reads.
        output: The run's folder or prefix.
    """
    options = {"--dataset": dataset, "--settings": settings.to_json(), "--output": output}
    return ["-m", _MODULE, *itertools.chain.from_iterable(options.items())]
