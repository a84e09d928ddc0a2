"""The register step: the finished bundle goes to the output and the model registry."""

from __future__ import annotations

import logging
from pathlib import Path

from phytoflow.steps.settings import RegisterStepSettings
from phytoflow.storage.uri import join, put_folder

_LOG = logging.getLogger(__name__)


def register(
    bundle: Path, evaluation: Path, settings: RegisterStepSettings, output: str, complete: Path
) -> str:
    """Completes the bundle with its figures, delivers it to ``output``/bundle and registers it.

    Returns:
        Version in the model registry, alias ``challenger``.
    """
    import shutil

    from phytoflow.storage.atomic import atomic_folder
    from phytoflow.tracking.registry import register as register_bundle

    with atomic_folder(complete) as aside:
        shutil.copytree(bundle, aside, dirs_exist_ok=True)
        for name in ("metrics.json", "report.html", "model_card.md"):
            shutil.copy2(evaluation / name, aside / name)
    put_folder(complete, join(output, "bundle"))
    version = register_bundle(complete, settings.tracking, output)
    _LOG.info("registered as version %s of %s, challenger", version, settings.tracking.registered_model)
    return version
