"""What is said of a model on labelled photos: ``metrics.json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.audit.background_bias import BackgroundProbe
from phytoflow.evaluation.audit.leakage import LeakAudit
from phytoflow.evaluation.external.schema import FieldFigures
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.ood import OpenSetFigures
from phytoflow.evaluation.metrics.selective import Selective
from phytoflow.evaluation.robustness.benchmark import Robustness
from phytoflow.evaluation.variants.schema import Ways

METRICS_FILE = "metrics.json"


class ClassMetrics(BaseModel):
    """Figures of one class.

    Attributes:
        precision: Share right among photos given this class; 0 if none was.
        recall: Share found among photos of this class; 0 if there are none.
        f1: Harmonic mean of both.
        support: Test photos of this class.
        groups: Groups they come from.
        f1_interval: Interval of f1; None for a class without test photos.
        auroc: Area under the one-vs-rest ROC; None if the class has no test photo, or all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: float
    recall: float
    f1: float
    support: int
    groups: int
    f1_interval: Interval | None
    auroc: float | None


class Figures(BaseModel):
    """What labels and probabilities alone tell. Shares are in 0..1.

    Macro figures are means over the classes that have test photos; a photo wrongly given a class that has
    none counts as missed by its own. Rows of the confusion matrix are true classes, columns predicted ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    ece: float
    log_loss: float
    mean_confidence: float
    photos: int
    groups: int
    confidence: float
    intervals: dict[str, Interval]
    classes: tuple[str, ...]
    absent_classes: tuple[str, ...]
    per_class: dict[str, ClassMetrics]
    confusion_matrix: tuple[tuple[int, ...], ...]


class Unreadable(BaseModel):
    """A photo that could not be used, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    reason: str


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
        robustness: Accuracy under the conditions of the field; None where ``evaluation.thorough`` was off.
        ways: What forms and test-time augmentation cost and bring; None likewise.
        open_set: What it does about photos of something else; None where the bundle cannot tell.
        leaks: Test photos with near copies in training; None where the training photos are not at hand.
        background: Whether the classes can be told without the leaf; None likewise.
        field: On a second collection of photos, where ``evaluation.field`` names one.
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
