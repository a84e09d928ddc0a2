"""The register step: the finished bundle goes to the output and to the model registry."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from phytoflow.evaluation.outcome import insert_outcome
from phytoflow.evaluation.report.html import REPORT_FILE
from phytoflow.evaluation.report.model_card import CARD_FILE
from phytoflow.evaluation.results import METRICS_FILE
from phytoflow.steps.report import deliver_outcome, read_outcome
from phytoflow.steps.settings import RegisterStepSettings
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.uri import join, put_folder, read_bytes
from phytoflow.tracking.registry import register as register_bundle

_LOG = logging.getLogger(__name__)


def register(
    bundle: Path, evaluation: Path, settings: RegisterStepSettings, output: str, complete: Path
) -> str:
    """Adds metrics, report and model card to the bundle, delivers it to ``output``/bundle and registers it.

    Args:
        bundle: Folder of the bundle.
        evaluation: Folder that the evaluate step wrote.
        settings: What the step reads.
        output: The run's folder or prefix.
        complete: Folder to write: the complete bundle.

    Returns:
        Version in the model registry, alias ``challenger``.
    """
    outcome = read_outcome(output)
    with atomic_folder(complete) as aside:
        shutil.copytree(bundle, aside, dirs_exist_ok=True)
        for name in (METRICS_FILE, CARD_FILE):
            shutil.copy2(evaluation / name, aside / name)
        page = insert_outcome((evaluation / REPORT_FILE).read_text(encoding="utf-8"), outcome)
        (aside / REPORT_FILE).write_text(page, encoding="utf-8")
    put_folder(complete, join(output, "bundle"))
    model = settings.tracking.registered_model
    version = register_bundle(complete, settings.tracking, output)
    outcome = outcome.model_copy(update={"registered_model": model, "model_version": version})
    report = read_bytes(join(output, REPORT_FILE))
    deliver_outcome(outcome, report, bundle, settings.tracking, output)
    _LOG.info("registered as version %s of %s, challenger", version, model)
    return version
