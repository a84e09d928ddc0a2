"""The export step: makes a bundle of a trained model."""

from __future__ import annotations

from pathlib import Path

from phytoflow.provenance import code_version, now
from phytoflow.steps.settings import ExportStepSettings
from phytoflow.system.threads import make_idle_openmp_threads_sleep


def export(model: Path, dataset: Path, settings: ExportStepSettings, output: Path) -> None:
    """Exports a trained model to a bundle; every format is compared with it.

    Args:
        model: Folder that the train step wrote.
        dataset: Folder of the dataset that it was trained on.
        settings: What the step reads.
        output: Folder of the bundle to write.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.bundle.manifest import Provenance
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.export.export import export as export_model
    from phytoflow.models.checkpoint import read_summary
    from phytoflow.models.weights import describe_start

    data = Dataset.open(dataset)
    provenance = Provenance(
        data_hash=data.summary.data_hash,
        code_version=code_version(),
        settings=settings.model_dump(mode="json", exclude={"name"}),
        run_id=read_summary(model).get("run_id", ""),
        created=now(),
        weights=describe_start(settings.model),
    )
    export_model(model, data, settings.export, provenance, output, name=settings.name)
