"""What is said of a model on labelled photos: ``metrics.json``."""

from __future__ import annotations

from phytoflow.evaluation.audit.background_bias import BackgroundProbe
from phytoflow.evaluation.audit.leakage import LeakAudit
from phytoflow.evaluation.external.schema import FieldFigures
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.classification import Figures
from phytoflow.evaluation.metrics.ood import OpenSetFigures
from phytoflow.evaluation.metrics.selective import Selective
from phytoflow.evaluation.predictions.table import Unreadable
from phytoflow.evaluation.robustness.benchmark import Robustness
from phytoflow.evaluation.variants.schema import Ways

METRICS_FILE = "metrics.json"


class Metrics(Figures):
    """``metrics.json``: the figures of a bundle on test photos, and what they were measured on.

    Attributes:
        mean_latency_ms: Of the exported model, one photo at a time, decoding included; milliseconds.
        median_latency_ms: Likewise.
        p95_latency_ms: Likewise, 95th percentile.
        unreadable: Photos left out.
        trained_on: Photos among these that the bundle was trained on; they make the figures too good. None if
            the bundle does not say what it was trained on.
        data_hash: Of the data the bundle was trained on.
        photos_hash: Of the photos these figures were measured on.
        bundle_version: Names the bundle's content.
        runtime: What ran the model.
        code_version: Of the code that measured.
        seed: Of the bootstrap.
        calibration: The calibration error beside what chance makes of it.
        selective: What asking a person about the least sure answers is worth.
        robustness: Accuracy under the conditions of the field; None where ``evaluation.extended`` was off.
        ways: What forms and test-time augmentation cost and bring; None likewise.
        open_set: What it does about photos of something else; None where the bundle cannot tell.
        leaks: Test photos with near copies in training; None where the training photos are not at hand.
        background: Whether the classes can be told without the leaf; None likewise.
        field: On a second collection of photos, where ``evaluation.external_data`` names one.
    """

    schema_version: int = 1
    mean_latency_ms: float
    median_latency_ms: float
    p95_latency_ms: float
    unreadable: tuple[Unreadable, ...] = ()
    trained_on: int | None = None
    data_hash: str
    photos_hash: str
    bundle_version: str
    runtime: str
    code_version: str
    seed: int
    calibration: Calibration | None = None
    selective: Selective | None = None
    robustness: Robustness | None = None
    ways: Ways | None = None
    open_set: OpenSetFigures | None = None
    leaks: LeakAudit | None = None
    background: BackgroundProbe | None = None
    field: FieldFigures | None = None
