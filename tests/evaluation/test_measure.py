from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.external.evaluate import open_external_data
from phytoflow.evaluation.measure import TestSet, measure
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.samples import TestPhotoSamples
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier
from tests.support.colour_bundle import SHADES, jpeg

SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)


@pytest.fixture(scope="module")
def classifier(colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(colour_bundle(tmp_path_factory.mktemp("measure") / "bundle"), "onnx")


def measured(
    classifier: Classifier, photos: list[LabelledPhoto], settings: EvaluationSettings, work: Path
) -> Metrics:
    samples = TestPhotoSamples.create(classifier.classes, settings, seed=0)
    predictions, unreadable = predict_photos(classifier, photos, observe=samples.observe)
    external = open_external_data(settings, classifier.classes, work)
    test = TestSet(predictions, unreadable, samples)
    return measure(classifier, test, settings, 0, work=work, external=external)


def test_only_what_the_settings_ask_for_is_measured(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto], tmp_path: Path
) -> None:
    photos = [colour_photo(c, n) for c in ("red", "green") for n in range(8)]
    metrics = measured(classifier, photos, SETTINGS, tmp_path)
    assert metrics.photos == 16 and metrics.calibration and metrics.selective
    assert metrics.cpu_latency_ms is not None and metrics.runtime == "onnx"
    parts = (metrics.robustness, metrics.variants, metrics.ood, metrics.leaks, metrics.external)
    assert parts == (None,) * 5 and metrics.background_bias is None


def test_an_extended_evaluation_measures_the_rest(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto], tmp_path: Path
) -> None:
    (tmp_path / "orchard/red").mkdir(parents=True)
    (tmp_path / "orchard/red/1.jpg").write_bytes(jpeg(SHADES["red"], 99))
    settings = SETTINGS.model_copy(
        update={
            "extended": True,
            "robustness_photos": 10,
            "variant_photos": 10,
            "external_data": str(tmp_path / "orchard"),
        }
    )
    photos = [colour_photo(c, n) for c in ("red", "green") for n in range(8)]
    metrics = measured(classifier, photos, settings, tmp_path)
    assert metrics.robustness is not None and metrics.robustness.photos == 10
    assert metrics.variants is not None and metrics.variants.photos == 10
    assert metrics.external is not None and metrics.external.photos == 1


def test_the_hash_of_the_photos_ignores_their_order_and_names_and_not_their_labels(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto], tmp_path: Path
) -> None:
    photos = [colour_photo(c, n) for c in ("red", "green") for n in range(3)]
    renamed = [replace(photo, path=f"x/{photo.path}") for photo in reversed(photos)]
    relabelled = [replace(photos[0], label="blue"), *photos[1:]]
    first, second, third = (
        measured(classifier, some, SETTINGS, tmp_path).photos_hash for some in (photos, renamed, relabelled)
    )
    assert first == second != third
