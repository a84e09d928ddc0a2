"""The command of one of several training processes."""

from phytoflow.config.loader import load_settings
from phytoflow.steps.distributed.command import process_arguments
from phytoflow.steps.settings import TrainStepSettings


def test_a_process_reads_the_settings_that_the_step_was_given() -> None:
    settings = TrainStepSettings.of(load_settings(None, ["training.devices=2", "seed=7"]))
    arguments = process_arguments("s3://b/dataset", settings, "s3://b/out")
    assert arguments[:2] == ["-m", "phytoflow.cli.train_process"]
    options = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    assert options["--dataset"] == "s3://b/dataset" and options["--output"] == "s3://b/out"
    assert TrainStepSettings.from_json(options["--settings"]) == settings
