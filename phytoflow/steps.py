"""The steps of a run, each one call: settings and folders in, a folder out.

Components and the command line both call these, so that a step alone does what it does in the pipeline.
Settings arrive as the JSON of their section. Heavy libraries are imported by the step that needs them.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from phytoflow.config import Settings
from phytoflow.errors import ConfigError, DataError, GateError
from phytoflow.provenance import code_version, now
from phytoflow.settings import resolve
from phytoflow.storage.uri import exists, is_local, join, local_path, put_file, put_folder

if TYPE_CHECKING:
    from phytoflow.evaluation.gate import Verdict
    from phytoflow.evaluation.views import Views

_LOG = logging.getLogger(__name__)
PUBLISH_PHOTOS = 16


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
        DataError: ``evaluation.field`` holds no photos of these classes, or ``evaluation.strangers`` none.
        DeployError: The cluster would not take what the run is to publish.
    """
    from phytoflow.data.source import source_version

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


def preprocess(data: str, settings: str, output: Path) -> None:
    """Photos to a checked, grouped, split and sharded dataset folder."""
    from phytoflow.data.prepare import prepare
    from phytoflow.models.factory import preprocessing_for

    chosen = _settings(settings)
    prepare(data, chosen.data, preprocessing_for(chosen.model), chosen.seed, output)


def train(dataset: Path, settings: str, model: Path, output: str) -> None:
    """Dataset to a trained model folder; killed at any moment, the same call resumes.

    Args:
        dataset: Folder that ``preprocess`` wrote.
        settings: Sections seed, model, training and tracking.
        model: Folder to write.
        output: The run's folder or prefix: checkpoints, and MLflow's files where none is named.
    """
    from phytoflow.data.dataset import Dataset
    from phytoflow.tracking.tracker import Tracker
    from phytoflow.training.train import train as fit

    chosen, data = _settings(settings), Dataset.open(dataset)
    key = hashlib.sha256(f"{data.facts.data_hash} {settings} {code_version()}".encode()).hexdigest()[:16]
    with Tracker.open(chosen.tracking, output, key=key) as tracker:
        sections = chosen.model_dump(mode="json", include={"seed", "model", "training"})
        tracker.log_params(sections | {"data_hash": data.facts.data_hash, "code_version": code_version()})
        checkpoints = join(output, "checkpoints")
        fit(data, chosen.model, chosen.training, chosen.seed, model, checkpoints, tracker)


def export(model: Path, dataset: Path, settings: str, output: Path) -> None:
    """Trained model to a bundle whose every form answers as the trained model does."""
    from phytoflow.data.dataset import Dataset
    from phytoflow.export.export import export as export_model
    from phytoflow.models.bundle import Provenance
    from phytoflow.models.checkpoint import read_facts

    chosen, data = _settings(settings), Dataset.open(dataset)
    provenance = Provenance(
        data_hash=data.facts.data_hash,
        code_version=code_version(),
        settings=chosen.model_dump(mode="json"),
        run_id=read_facts(model).get("run_id", ""),
        created=now(),
    )
    export_model(model, data, chosen.export, provenance, output, name=chosen.serving.name)


def evaluate(bundle: Path, dataset: Path, model: Path, settings: str, evaluation: Path, output: str) -> Views:
    """Figures, pictures and the report of a bundle on the dataset's test photos; all goes to MLflow too.

    Returns:
        The evaluation as plain data for KFP's views.
    """
    from phytoflow.data.dataset import Dataset
    from phytoflow.evaluation.evaluate import evaluate as measure
    from phytoflow.evaluation.views import views
    from phytoflow.tracking.evaluation import log_evaluation

    chosen, data = _settings(settings), Dataset.open(dataset)
    photos, total = data.photos("test"), data.count("test")
    curves = model / "curves.png"
    measure(
        bundle,
        photos,
        chosen.evaluation,
        evaluation,
        chosen.seed,
        curves=curves,
        total=total,
        dataset=data,
        model=model,
    )
    shown = views(evaluation)
    log_evaluation(chosen.tracking, output, bundle, evaluation, shown.scalars)
    return shown


def gate(bundle: Path, dataset: Path, evaluation: Path, settings: str, output: str) -> Verdict:
    """Judges the figures, and the bundle against the champion; report and verdict go to ``output``."""
    from phytoflow.evaluation.gate import judge_bundle

    chosen = _settings(settings)
    verdict = judge_bundle(bundle, dataset, evaluation, chosen.gate, chosen.tracking, output)
    put_file(evaluation / "metrics.json", join(output, "metrics.json"))
    put_file(evaluation / "report.html", join(output, "report.html"))
    put_file(dataset / "data.html", join(output, "data.html"))
    for condition in verdict.conditions:
        _LOG.info("%s %s", "passed:" if condition.passed else "NOT passed:", condition.text)
    return verdict


def refuse(reason: str) -> None:
    """Ends a run whose gate failed; always raises GateError."""
    remedy = (
        "look at report.html; more or cleaner photos of the weak classes help most, or lower gate.* knowingly"
    )
    raise GateError(f"the gate refused this model: {reason}", remedy=remedy)


def register(bundle: Path, evaluation: Path, settings: str, output: str, complete: Path) -> str:
    """Completes the bundle with its figures, delivers it to ``output``/bundle and registers it.

    Returns:
        Version in the model registry, alias ``challenger``.
    """
    import shutil

    from phytoflow.storage.atomic import atomic_folder
    from phytoflow.tracking.registry import register as register_bundle

    chosen = _settings(settings)
    with atomic_folder(complete) as aside:
        shutil.copytree(bundle, aside, dirs_exist_ok=True)
        for name in ("metrics.json", "report.html", "model_card.md"):
            shutil.copy2(evaluation / name, aside / name)
    put_folder(complete, join(output, "bundle"))
    version = register_bundle(complete, chosen.tracking, output)
    _LOG.info("registered as version %s of %s, challenger", version, chosen.tracking.registered_model)
    return version


def publish(bundle: Path, version: str, dataset: Path, settings: str, output: str) -> str:
    """Serves the bundle, here or on the cluster, asks it real photos, and makes the version champion.

    Returns:
        URL of the predictor; empty where ``serving.publish`` is off.

    Raises:
        ServingError: It did not become ready, or does not answer as it does offline; what was published
            before goes on serving.
    """
    from itertools import islice

    from phytoflow.data.dataset import Dataset
    from phytoflow.tracking.registry import promote

    chosen = _settings(settings)
    if not chosen.serving.publish:
        _LOG.info("serving.publish is off: version %s stays challenger", version)
        return ""
    photos = list(islice(Dataset.open(dataset).photos("test"), PUBLISH_PHOTOS))
    if _on_cluster(chosen, output):
        from phytoflow.deploy.step import publish as deploy

        url = deploy(bundle, version, photos, chosen, output).url
    else:
        from phytoflow.serving_process import publish as start

        folder = local_path(output)
        url = start(folder / "bundle", chosen.serving, folder / "predictor.json", photos).url
    promote(chosen.tracking, output, version)
    return url


def finish(state: str, error: str, output: str) -> None:
    """Says how the run ended and where its report is, in the log and as ``output``/outcome.json."""
    import tempfile

    report, bundle = join(output, "report.html"), join(output, "bundle")
    outcome = {
        "state": state,
        "error": error,
        "report": report if exists(report) else "",
        "bundle": bundle if exists(bundle) else "",
        "ended": now(),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcome.json"
        file.write_text(json.dumps(outcome, indent=2))
        put_file(file, join(output, "outcome.json"))
    _LOG.info("the run %s; report: %s", state.lower(), outcome["report"] or "none was made")


def _on_cluster(settings: Settings, output: str) -> bool:
    return settings.serving.target == "cluster" or (
        settings.serving.target == "auto" and not is_local(output)
    )


def _check_output(settings: Settings, output: str) -> None:
    """Refuses, before anything is spent, what the last steps could not do with this output."""
    from phytoflow.tracking.store import tracking_uri

    tracking_uri(settings.tracking, output)  # an object store holds no SQLite: then an MLflow server is named
    if not settings.serving.publish:
        return
    if _on_cluster(settings, output):
        from phytoflow.deploy.release import check_uri
        from phytoflow.deploy.step import check

        check_uri(output, "the output")
        check(settings, output)
    elif not is_local(output):
        remedy = "set serving.target=cluster, or serving.publish=false"
        raise ConfigError(f"a predictor of this machine cannot serve from {output}", remedy=remedy)


def _with_field(settings: Settings, data: str) -> Settings:
    """Refuses field photos that show none of the classes, and notes which photos they are."""
    from phytoflow.data.source import class_names, source_version
    from phytoflow.evaluation.field_classes import map_classes

    chosen = settings.evaluation
    if not chosen.field:
        if chosen.field_classes:
            raise ConfigError("evaluation.field_classes is set, evaluation.field is not", remedy="set both")
        return settings
    folders, classes = class_names(chosen.field), class_names(data)
    if folders and classes:
        map_classes(folders, classes, chosen.field_classes)
    elif folders == []:
        raise DataError(f"there are no class folders in {chosen.field}", remedy="give one folder a class")
    chosen = chosen.model_copy(update={"field_version": source_version(chosen.field)})
    return settings.model_copy(update={"evaluation": chosen})


def _with_strangers(settings: Settings) -> Settings:
    """Refuses a folder without strangers, and notes which photos they are."""
    from phytoflow.data.source import source_version
    from phytoflow.evaluation.open_set import stranger_files

    chosen = settings.evaluation
    if not chosen.strangers:
        return settings
    version = source_version(chosen.strangers)
    if is_local(chosen.strangers):
        stranger_files(local_path(chosen.strangers))
    chosen = chosen.model_copy(update={"strangers_version": version})
    return settings.model_copy(update={"evaluation": chosen})


def _settings(text: str) -> Settings:
    return Settings.model_validate_json(text)
