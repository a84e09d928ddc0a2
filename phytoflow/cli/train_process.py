"""One of several training processes, ``python -m phytoflow.cli.train_process`` under torchrun.

The trained model stays with the checkpoints in OUTPUT, where the step that asked for it takes it.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from phytoflow.steps.context import step
from phytoflow.storage.temporary import temporary_folder
from phytoflow.system.lifeline import watch_parent
from phytoflow.system.progress import EVENTS_VARIABLE


def main() -> None:
    """Trains with the others of its group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="Folder or URI that the preprocess step wrote.")
    parser.add_argument("--settings", required=True, help="What the train step reads of the settings, JSON.")
    parser.add_argument("--output", required=True, help="Folder or URI of the run.")
    given = parser.parse_args()
    watch_parent()
    with step("train"):
        from phytoflow.steps.settings import TrainStepSettings
        from phytoflow.steps.train import train_in_group

        if os.environ.get("RANK", "0") != "0":  # one of them speaks
            logging.getLogger("phytoflow").setLevel(logging.WARNING)
            os.environ.pop(EVENTS_VARIABLE, None)
        settings = TrainStepSettings.from_json(given.settings)
        with temporary_folder() as folder:
            train_in_group(given.dataset, settings, Path(folder) / "model", given.output)


if __name__ == "__main__":
    main()
