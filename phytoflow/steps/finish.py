"""The steps of a run, each one call: settings and folders in, a folder out.

Components and the command line both call these, so that a step alone does what it does in the pipeline.
Settings arrive as the JSON of their section. Heavy libraries are imported by the step that needs them.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.config.settings import Settings
from phytoflow.errors import GateError
from phytoflow.provenance import code_version, now
from phytoflow.steps.configure import on_cluster
from phytoflow.storage.uri import exists, join, local_path, put_file, put_folder

if TYPE_CHECKING:
    from phytoflow.evaluation.gate.conditions import Verdict
    from phytoflow.evaluation.report.kfp_views import Views

_LOG = logging.getLogger(__name__)
PUBLISH_PHOTOS = 16


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
    from phytoflow.data.shards.dataset import Dataset
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
    from phytoflow.bundle.manifest import Provenance
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.export.export import export as export_model
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
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.evaluation.evaluate import evaluate as measure
    from phytoflow.evaluation.report.kfp_views import views
    from phytoflow.tracking.evaluation_run import log_evaluation

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
    from phytoflow.evaluation.gate.conditions import judge_bundle

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

    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.registry import promote

    chosen = _settings(settings)
    if not chosen.serving.publish:
        _LOG.info("serving.publish is off: version %s stays challenger", version)
        return ""
    photos = list(islice(Dataset.open(dataset).photos("test"), PUBLISH_PHOTOS))
    if on_cluster(chosen, output):
        from phytoflow.steps.cluster_publish import publish as deploy

        url = deploy(bundle, version, photos, chosen, output).url
    else:
        from phytoflow.deploy.local.publisher import publish as start

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


def _settings(text: str) -> Settings:
    return Settings.model_validate_json(text)
