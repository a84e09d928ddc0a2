"""Class names of any kind, from the predictions to the report, MLflow, the registry and Kubeflow's views."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.kfp_views import kfp_views
from phytoflow.evaluation.results import read_metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.tracking.evaluation_run import bundle_run, log_evaluation
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.registry import register
from phytoflow.tracking.settings import TrackingSettings
from tests.support.colour_bundle import SHADES, jpeg

SETS = {
    "numbers": ("NA", "-1", "1e5"),
    "signs": ("健康 🌿", "a/b", "Löwenzahn #1 <b>&\"q'"),
    "markup": ("<script>alert(1)</script>", "{{ 7 * 7 }}", "a$b$ \\alpha"),
}
SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)


@pytest.fixture(scope="module", params=SETS)
def evaluated(
    request: pytest.FixtureRequest,
    colour_bundle: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[tuple[str, ...], Path, Path]:
    """Names, bundle and evaluation; one photo of each class but the first is mistaken for the first."""
    names, folder = SETS[request.param], tmp_path_factory.mktemp("names")
    bundle = colour_bundle(folder / "bundle", names=names)
    photos = [
        LabelledPhoto(f"{name}/{n}.jpg", name, f"{name}-{n}", jpeg(SHADES[colour if n else "red"], n))
        for name, colour in zip(names, SHADES, strict=True)
        for n in range(5)
    ]
    evaluate(bundle, photos, SETTINGS, folder / "evaluation", seed=0)
    return names, bundle, folder / "evaluation"


def test_tables_and_metrics_hold_the_names_as_they_are(evaluated: tuple) -> None:
    names, _, evaluation = evaluated
    table = pd.read_csv(evaluation / "predictions.csv", dtype=str, keep_default_na=False)
    assert list(table["label"].unique()) == list(names)
    assert set(table["predicted"]) == set(names)
    assert PhotoPredictions.read(evaluation).correct.sum() == 13
    assert list(read_metrics(evaluation).per_class) == list(names)


def test_the_report_shows_the_names_escaped(evaluated: tuple) -> None:
    names, _, evaluation = evaluated
    page = (evaluation / "report.html").read_text(encoding="utf-8")
    rows = re.findall(r'<th scope="row" title="(.*?)">', page)
    assert [html.unescape(row) for row in rows] == list(names)
    assert "<script" not in page and "<b>&" not in page and "49" not in re.findall(r"<th scope.*", page)
    assert '<meta charset="utf-8">' in page


def test_the_card_and_the_matrix_are_whole(evaluated: tuple) -> None:
    names, _, evaluation = evaluated
    card = (evaluation / "model_card.md").read_text(encoding="utf-8")
    for name in names:
        assert html.escape(name, quote=False) in card
    matrix = (evaluation / "confusion_matrix.svg").read_text(encoding="utf-8")
    assert "<script" not in matrix and matrix.rstrip().endswith("</svg>")


def test_mlflow_tells_the_classes_apart_and_the_registry_takes_the_bundle(
    evaluated: tuple, tmp_path: Path
) -> None:
    names, bundle, evaluation = evaluated
    views, tracking = kfp_views(evaluation), TrackingSettings()
    accepted = log_evaluation(tracking, tmp_path, bundle, evaluation, views.scalars, "Right on 13 of 15")
    with bundle_run(tracking, tmp_path, bundle) as tracker:
        metrics = open_store(tracking, tmp_path).client.get_run(tracker.run_id).data.metrics
    recalls = [name for name in metrics if name.endswith(".recall") and "per_class" in name]
    assert len(recalls) == len(names) and metrics == accepted
    assert sorted(metrics[name] for name in recalls) == [0.8, 0.8, 1.0]
    assert register(bundle, tracking, tmp_path) == "1"


def test_kubeflow_takes_the_views(evaluated: tuple) -> None:
    dsl = pytest.importorskip("kfp.dsl")
    names, _, evaluation = evaluated
    views, classification, metrics = kfp_views(evaluation), dsl.ClassificationMetrics(), dsl.Metrics()
    classification.log_confusion_matrix(views.classes, views.confusion_matrix)
    for name, value in views.scalars.items():
        metrics.log_metric(name, value)
    shown = classification.metadata["confusionMatrix"]["annotationSpecs"]
    assert [spec["displayName"] for spec in shown] == list(names)
    assert metrics.metadata[f"test.per_class.{names[0]}.recall"] == 1
