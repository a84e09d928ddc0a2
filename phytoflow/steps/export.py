"""The export step: trained model to a bundle."""

from __future__ import annotations

from pathlib import Path

from phytoflow.provenance import code_version, now
from phytoflow.steps.context import read_settings
from phytoflow.system.threads import make_idle_openmp_threads_sleep


def export(model: Path, dataset: Path, settings: str, output: Path) -> None:
    """Trained model to a bundle whose every form answers as the trained model does."""
    make_idle_openmp_threads_sleep()
    from phytoflow.bundle.manifest import Provenance
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.export.export import export as export_model
    from phytoflow.models.checkpoint import read_facts

    chosen, data = read_settings(settings), Dataset.open(dataset)
    provenance = Provenance(
        data_hash=data.facts.data_hash,
        code_version=code_version(),
        settings=chosen.model_dump(mode="json"),
        run_id=read_facts(model).get("run_id", ""),
        created=now(),
    )
    export_model(model, data, chosen.export, provenance, output, name=chosen.serving.name)
