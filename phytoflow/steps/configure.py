"""What a run will do, settled and checked before anything is spent."""

from __future__ import annotations

import json
from dataclasses import dataclass

import yaml

from phytoflow.config.loader import resolve
from phytoflow.config.settings import Settings
from phytoflow.errors import ConfigError, DataError
from phytoflow.provenance import code_version
from phytoflow.steps.target import on_cluster
from phytoflow.storage.uri import is_local, local_path


@dataclass(frozen=True)
class Plan:
    """What a run will do, settled before anything is spent.

    Attributes:
        settings: Every setting, as JSON.
        data_version: Changes when the photos do.
        code_version: Changes when the code does.
    """

    settings: str
    data_version: str
    code_version: str


def configure(data: str, preset: str, seed: int, overrides: str, output: str) -> Plan:
    """Checks all settings and says which photos and code the run is about.

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
    from phytoflow.data.sources.resolve import source_version

    tree = yaml.safe_load(overrides) if overrides else {}
    if not isinstance(tree, dict):
        raise ConfigError(
            f"overrides hold {overrides!r}, not keys and values", remedy="write section: {key: value}"
        )
    settings = resolve({"preset": preset, "seed": seed} | tree)
    _check_output(settings, output)
    settings = _with_strangers(_with_field(settings, data))
    return Plan(settings.model_dump_json(), source_version(data), code_version())


def section(settings: str, *names: str) -> str:
    """Only some sections of the settings, so that a step is not run again for a setting it never reads."""
    tree = json.loads(settings)
    return json.dumps({name: tree[name] for name in names}, sort_keys=True)


def _check_output(settings: Settings, output: str) -> None:
    """Refuses, before anything is spent, what the last steps could not do with this output."""
    from phytoflow.tracking.mlflow_client import tracking_uri

    tracking_uri(settings.tracking, output)  # an object store holds no SQLite: then an MLflow server is named
    if not settings.serving.publish:
        return
    if on_cluster(settings, output):
        from phytoflow.deploy.kubernetes.release import check_uri
        from phytoflow.steps.cluster_publish import check

        check_uri(output, "the output")
        check(settings, output)
    elif not is_local(output):
        remedy = "set serving.target=cluster, or serving.publish=false"
        raise ConfigError(f"a predictor of this machine cannot serve from {output}", remedy=remedy)


def _with_field(settings: Settings, data: str) -> Settings:
    """Refuses field photos that show none of the classes, and notes which photos they are."""
    from phytoflow.data.sources.resolve import class_names, source_version
    from phytoflow.evaluation.external.class_mapping import map_classes

    chosen = settings.evaluation
    if not chosen.external_data:
        if chosen.external_class_map:
            raise ConfigError(
                "evaluation.external_class_map is set, evaluation.external_data is not", remedy="set both"
            )
        return settings
    folders, classes = class_names(chosen.external_data), class_names(data)
    if folders and classes:
        map_classes(folders, classes, chosen.external_class_map)
    elif folders == []:
        raise DataError(
            f"there are no class folders in {chosen.external_data}", remedy="give one folder a class"
        )
    chosen = chosen.model_copy(update={"external_data_version": source_version(chosen.external_data)})
    return settings.model_copy(update={"evaluation": chosen})


def _with_strangers(settings: Settings) -> Settings:
    """Refuses a folder without strangers, and notes which photos they are."""
    from phytoflow.data.sources.resolve import source_version
    from phytoflow.evaluation.metrics.ood import stranger_files

    chosen = settings.evaluation
    if not chosen.ood_data:
        return settings
    version = source_version(chosen.ood_data)
    if is_local(chosen.ood_data):
        stranger_files(local_path(chosen.ood_data))
    chosen = chosen.model_copy(update={"ood_data_version": version})
    return settings.model_copy(update={"evaluation": chosen})
