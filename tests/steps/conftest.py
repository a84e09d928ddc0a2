"""A run's steps on a small set, one after the other, each on what the one before it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.config.settings import RunSettings
from tests.support.colour_bundle import colour_bundle, colour_photo
from tests.support.small_training import write_photos

__all__ = ["colour_bundle", "colour_photo"]
SETTINGS = (
    "model.backbone=attention_cnn",
    "model.image_size=32",
    "training.end_to_end_epochs=2",
    "data.near_duplicate_max_distance=0",
    "evaluation.bootstrap_samples=100",
    "evaluation.latency_photos=5",
    "export.formats=[onnx]",
    "export.ood_reference_photos=40",
    "gate.min_accuracy=0.0",
    "gate.min_macro_f1=0.0",
    "gate.max_latency_ms=1000",
    "serving.runtime=onnx",
)


@dataclass(frozen=True)
class Flow:
    """Folders of one run, and its settings.

    Attributes:
        photos: Class folders.
        folder: Holds what the steps write.
        settings: Of the run.
    """

    photos: Path
    folder: Path
    settings: RunSettings

    @property
    def output(self) -> str:
        """The run's folder."""
        return str(self.folder / "out")


@pytest.fixture(scope="session")
def photos_only(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Nothing is done yet."""
    folder = tmp_path_factory.mktemp("flow")
    write_photos(folder / "photos", 30)
    return Flow(folder / "photos", folder, load_settings(None, SETTINGS))


@pytest.fixture(scope="session")
def preprocessed(photos_only: Flow) -> Flow:
    """The preprocess step is done: ``dataset``."""
    from phytoflow.steps.preprocess import preprocess
    from phytoflow.steps.settings import PreprocessStepSettings

    settings = PreprocessStepSettings.of(photos_only.settings)
    preprocess(str(photos_only.photos), settings, photos_only.folder / "dataset")
    return photos_only


@pytest.fixture(scope="session")
def trained(preprocessed: Flow) -> Flow:
    """The train step is done: ``model``."""
    from phytoflow.steps.settings import TrainStepSettings
    from phytoflow.steps.train import train

    folder, settings = preprocessed.folder, TrainStepSettings.of(preprocessed.settings)
    train(folder / "dataset", settings, folder / "model", preprocessed.output)
    return preprocessed


@pytest.fixture(scope="session")
def exported(trained: Flow) -> Flow:
    """The export step is done: ``bundle``."""
    from phytoflow.steps.export import export
    from phytoflow.steps.settings import ExportStepSettings

    folder, settings = trained.folder, ExportStepSettings.of(trained.settings)
    export(folder / "model", folder / "dataset", settings, folder / "bundle")
    return trained


@pytest.fixture(scope="session")
def evaluated(exported: Flow) -> Flow:
    """The evaluate step is done: ``evaluation``."""
    from phytoflow.steps.evaluate import evaluate
    from phytoflow.steps.settings import EvaluateStepSettings

    folder, settings = exported.folder, EvaluateStepSettings.of(exported.settings)
    bundle, dataset, model = folder / "bundle", folder / "dataset", folder / "model"
    evaluate(bundle, dataset, model, settings, folder / "evaluation", exported.output)
    return exported


@pytest.fixture(scope="session")
def judged(evaluated: Flow) -> Flow:
    """The gate step is done."""
    from phytoflow.steps.gate import gate
    from phytoflow.steps.settings import GateStepSettings

    folder, settings = evaluated.folder, GateStepSettings.of(evaluated.settings)
    gate(folder / "bundle", folder / "dataset", folder / "evaluation", settings, evaluated.output)
    return evaluated


@pytest.fixture(scope="session")
def registered(judged: Flow) -> Flow:
    """The register step is done: ``registered``."""
    from phytoflow.steps.register import register
    from phytoflow.steps.settings import RegisterStepSettings

    folder, settings = judged.folder, RegisterStepSettings.of(judged.settings)
    register(folder / "bundle", folder / "evaluation", settings, judged.output, folder / "registered")
    return judged
