"""The result of an evaluation: ``metrics.json``, schema 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator

from phytoflow.errors import DataError, StorageError
from phytoflow.evaluation.audit.background_bias import BackgroundBias
from phytoflow.evaluation.audit.leakage import LeakageAudit
from phytoflow.evaluation.external.schema import ExternalMetrics
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.classification import ClassificationMetrics
from phytoflow.evaluation.metrics.ood import OodMetrics
from phytoflow.evaluation.metrics.selective import RiskCoverage
from phytoflow.evaluation.predictions.table import Unreadable
from phytoflow.evaluation.results_schema_1 import upgrade_schema_1
from phytoflow.evaluation.robustness.schema import Robustness
from phytoflow.evaluation.variants.schema import Variants

METRICS_FILE = "metrics.json"
SCHEMA_VERSION = 2


class Metrics(ClassificationMetrics):
    """All metrics of a bundle on test photos, and what they were measured on.

    A file of schema 1 is read as well; its names are translated.

    Attributes:
        schema_version: Version of this format.
        mean_latency_ms: Mean wall-clock time of one photo with all CPUs, decoding included; milliseconds.
        median_latency_ms: Median of the same.
        p95_latency_ms: 95th percentile of the same.
        cpu_latency_ms: Median CPU time of one photo on one thread, which the gate judges; None on a GPU.
        unreadable: Photos left out because they cannot be read.
        trained_on: How many of the photos the bundle was trained on, which flatters it; None if the bundle
            does not record its training photos.
        data_hash: Hash of the data the bundle was trained on.
        photos_hash: Hash of the test photos and their labels.
        bundle_version: Version of the bundle, derived from its content.
        runtime: The runtime that ran the model.
        code_version: Version of the code that evaluated.
        seed: Seed of all bootstraps and samples.
        calibration: The calibration error, and how much of it chance explains.
        selective: What deferring uncertain photos to a person would bring.
        robustness: Accuracy under corruption; None without ``evaluation.extended``.
        variants: Cost and gain of other runtimes, precisions and test-time augmentation; None without
            ``evaluation.extended``.
        ood: Detection of out-of-distribution photos; None for a bundle without OOD statistics.
        leaks: Test photos with near copies in training; None without the training data.
        background_bias: Whether the background reveals the class; None without the training data.
        external: Metrics on ``evaluation.external_data``; None if that is not set.
    """

    schema_version: int = SCHEMA_VERSION
    mean_latency_ms: float
    median_latency_ms: float
    p95_latency_ms: float
    cpu_latency_ms: float | None = None
    unreadable: tuple[Unreadable, ...] = ()
    trained_on: int | None = None
    data_hash: str
    photos_hash: str
    bundle_version: str
    runtime: str
    code_version: str
    seed: int
    calibration: Calibration | None = None
    selective: RiskCoverage | None = None
    robustness: Robustness | None = None
    variants: Variants | None = None
    ood: OodMetrics | None = None
    leaks: LeakageAudit | None = None
    background_bias: BackgroundBias | None = None
    external: ExternalMetrics | None = None

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("schema_version") == 1:
            return upgrade_schema_1(values)
        return values


def read_metrics(folder: Path) -> Metrics:
    """Reads ``metrics.json`` of an evaluation's or a bundle's folder, of schema 1 or 2.

    Raises:
        StorageError: There is no such file.
        DataError: It is damaged or of a later schema.
    """
    file = folder / METRICS_FILE
    try:
        return Metrics.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}", remedy="evaluate the bundle") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{file} holds no metrics of schema 1 or {SCHEMA_VERSION}: {where} {first['msg']}"
        raise DataError(what, remedy="evaluate the bundle again") from error
