"""The configure step: what a run will do, settled and checked before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError, DataError
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.models.settings import ModelSettings
from phytoflow.provenance import code_version
from phytoflow.steps.distributed.processes import check_machines
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.steps.target import on_cluster
from phytoflow.storage.uri import is_local, local_path
from phytoflow.system.kfp_pod import kfp_pod

NO_DATA = "none"
"""Version of photos that a run does not have."""


@dataclass(frozen=True)
class Plan:
    """What a run will do. Steps are run again when a version that they are given changes.

    Attributes:
        settings: Every setting.
        data_version: Changes when the photos do.
        external_data_version: Changes when those of ``evaluation.external_data`` do.
        ood_data_version: Changes when those of ``evaluation.ood_data`` do.
        code_version: Changes when the code does.
    """

    settings: RunSettings
    data_version: str
    external_data_version: str
    ood_data_version: str
    code_version: str


def run_parameters(data: str, overrides: SettingsOverrides, output: str) -> dict[str, object]:
    """Returns the pipeline's parameters, which ``configure`` reads.

    Args:
        data: Where the photos are.
        overrides: What the user set.
        output: Folder or URI of the run.

    Raises:
        ConfigError: A wrong key or value: refused before a step is started.
    """
    settings = resolve(overrides)
    return {
        "data": data,
        "output": output,
        "preset": settings.preset,
        "seed": settings.seed,
        "overrides": overrides.to_yaml(),
    }


def merge_parameters(preset: str, seed: int, overrides: str) -> SettingsOverrides:
    """What the user set, from the pipeline's parameters; raises ConfigError if ``overrides`` is no YAML."""
    given = SettingsOverrides({"preset": preset, "seed": seed})
    return given.merge(SettingsOverrides.parse(overrides, "the run's overrides"))


def configure(data: str, preset: str, seed: int, overrides: str, output: str) -> Plan:
    """Checks all settings and notes which photos and code the run is about.

    Args:
        data: Where the photos are.
        preset: Name of a preset.
        seed: Seed of the run; overrides may set another.
        overrides: YAML of further settings.
        output: Folder or s3:// prefix of the run.

    Raises:
        ConfigError: A wrong key or value, or settings that do not go with this output.
        DataError: ``evaluation.external_data`` holds no photos of these classes, or
            ``evaluation.ood_data`` none.
        DeployError: The cluster would not take what the run is to publish.
    """
    from phytoflow.data.sources.resolve import data_version

    settings = resolve(merge_parameters(preset, seed, overrides))
    _check_output(settings, output)
    _check_weights(settings.model)
    return Plan(
        settings=settings,
        data_version=data_version(data, settings.data),
        external_data_version=_external_data_version(settings, data),
        ood_data_version=_ood_data_version(settings.evaluation),
        code_version=code_version(),
    )


def _check_output(settings: RunSettings, output: str) -> None:
    """Refuses, before anything is spent, what the last steps could not do with this output."""
    from phytoflow.tracking.mlflow_client import check_settings

    if is_local(output) and kfp_pod():
        what = f"the output {output} is a folder of this step's pod, gone when the step ends"
        raise ConfigError(what, remedy="give the run output=s3://BUCKET/PREFIX")
    check_settings(settings.tracking, output)
    check_machines(TrainStepSettings.of(settings), output)
    if not settings.serving.publish:
        return
    if on_cluster(settings.serving, output):
        from phytoflow.deploy.kubernetes.release import check_uri
        from phytoflow.steps.cluster_publish import check

        check_uri(output, "the output")
        check(settings.serving, settings.deploy, output)
    elif not is_local(output):
        remedy = "set serving.target=cluster, or serving.publish=false"
        raise ConfigError(f"a predictor of this machine cannot serve from {output}", remedy=remedy)


def _check_weights(model: ModelSettings) -> None:
    """Refuses a file that is not there; that of a pod's image, or of a store, is read by the train step."""
    if model.weights in ("imagenet", "none") or not is_local(model.weights) or kfp_pod():
        return
    if not local_path(model.weights).is_file():
        what = f"model.weights={model.weights} is no file"
        raise ConfigError(what, remedy="name a file or URI of weights; or imagenet, or none")


def _external_data_version(settings: RunSettings, data: str) -> str:
    """Refuses an external test set that shows none of the classes; returns its version and its map's."""
    from phytoflow.data.sources.resolve import (
        class_names,
        source_version,
        version_with_files,
    )
    from phytoflow.evaluation.external.class_mapping import map_classes

    external, class_map = settings.evaluation.external_data, settings.evaluation.external_class_map
    if not external:
        if class_map:
            what = "evaluation.external_class_map is set, evaluation.external_data is not"
            raise ConfigError(what, remedy="set both")
        return NO_DATA
    folders, classes = class_names(external), class_names(data, settings.data)
    if folders and classes:
        map_classes(folders, classes, class_map)
    elif folders == []:
        raise DataError(f"there are no class folders in {external}", remedy="make one folder a class")
    return version_with_files(source_version(external), [class_map] if class_map else [])


def _ood_data_version(settings: EvaluationSettings) -> str:
    """Refuses a folder without out-of-distribution photos; returns their version."""
    from phytoflow.data.sources.resolve import source_version
    from phytoflow.evaluation.metrics.ood import ood_files

    if not settings.ood_data:
        return NO_DATA
    version = source_version(settings.ood_data)
    if is_local(settings.ood_data):
        ood_files(local_path(settings.ood_data))
    return version
