import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.compare.paired import Comparison, paired
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.gate.champion import compare_on
from phytoflow.evaluation.gate.conditions import Verdict, judge
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.metrics.classification import measure
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.tracking.settings import TrackingSettings

SETTINGS = EvaluationSettings(bootstrap_samples=400, latency_photos=5)
ColourPhoto = Callable[..., LabelledPhoto]
ColourBundle = Callable[..., Path]


def metrics(accuracy: float = 0.9, macro_f1: float = 0.9, latency: float = 10.0) -> Metrics:
    names = tuple("abcdefghij")
    answers = PhotoPredictions(names, names, np.zeros(10, int), np.tile([0.9, 0.1], (10, 1)), ("x", "y"))
    figures = measure(answers, EvaluationSettings(bootstrap_samples=100), 0).model_dump()
    return Metrics(
        **(figures | {"accuracy": accuracy, "macro_f1": macro_f1}),
        mean_latency_ms=latency,
        median_latency_ms=latency,
        p95_latency_ms=latency,
        data_hash="d",
        photos_hash="p",
        bundle_version="b",
        runtime="onnx",
        code_version="0",
        seed=0,
    )


def failed(verdict: Verdict) -> list[str]:
    return [condition.name for condition in verdict.conditions if not condition.passed]


@pytest.mark.parametrize(
    ("figures", "names"),
    [
        ({}, []),
        ({"accuracy": 0.80, "macro_f1": 0.80, "latency": 50.0}, []),  # limits are inclusive
        ({"accuracy": 0.799}, ["accuracy"]),
        ({"macro_f1": 0.799}, ["macro_f1"]),
        ({"latency": 50.1}, ["mean_latency_ms"]),
        ({"accuracy": float("nan"), "latency": float("nan")}, ["accuracy", "mean_latency_ms"]),
        ({"accuracy": 0.5, "macro_f1": 0.4, "latency": 90.0}, ["accuracy", "macro_f1", "mean_latency_ms"]),
    ],
)
def test_each_limit_holds(figures: dict[str, float], names: list[str]) -> None:
    verdict = judge(metrics(**figures), GateSettings())
    assert failed(verdict) == names
    assert verdict.passed == (not names)


def test_every_condition_says_its_figure_and_its_limit() -> None:
    verdict = judge(metrics(accuracy=0.71234), GateSettings(min_accuracy=0.85))
    assert "accuracy 0.712 (95% interval" in verdict.reason
    assert "is below 0.850" in verdict.reason
    assert "macro-F1" not in verdict.reason
    page = verdict.markdown()
    assert page.startswith("# Not passed")
    assert page.count("\n- ") == 4
    assert "mean latency 10.0 ms a photo is at most 50.0 ms" in page
    assert "there is no champion" in page


def comparison(low: float, high: float, p_value: float = 0.01) -> Comparison:
    counts = {"photos": 100, "only_challenger": 1, "only_champion": 9}
    figures = {"challenger": 0.90, "champion": 0.92, "interval": (low, high), "p_value": p_value}
    return Comparison("3", **counts, **figures)  # type: ignore[arg-type]


def test_only_a_champion_better_beyond_noise_stops_the_challenger() -> None:
    assert judge(metrics(), GateSettings(), comparison(-0.05, 0.01)).passed
    assert judge(metrics(), GateSettings(), comparison(-0.05, 0.0)).passed
    verdict = judge(metrics(), GateSettings(), comparison(-0.05, -0.001))
    assert failed(verdict) == ["champion"]
    assert "worse than the champion (version 3) beyond noise: accuracy 0.900 against 0.920" in verdict.reason
    assert "95% interval -0.050 to -0.001" in verdict.reason
    assert "alone right on 1 against 9 photos (McNemar p = 0.01)" in verdict.reason
    assert judge(metrics(), GateSettings(compare_champion=False), comparison(-0.05, -0.001)).passed
    assert judge(metrics(), GateSettings(), comparison(-0.05, -0.001, p_value=0.06)).passed


def test_the_same_model_and_a_comparison_without_photos_pass_and_are_said() -> None:
    same = judge(metrics(), GateSettings(), Comparison("3", identical=True))
    assert same.passed
    assert "the same model as the champion (version 3)" in same.markdown()
    none = judge(metrics(), GateSettings(), Comparison("3", seen=20))
    assert none.passed
    assert "not compared" in none.markdown()
    assert "20 left out" in none.markdown()


def answers(right: np.ndarray, groups: np.ndarray) -> PhotoPredictions:
    probabilities = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
    paths = tuple(map(str, range(len(right))))
    return PhotoPredictions(
        paths, tuple(map(str, groups)), np.zeros(len(right), int), probabilities, ("x", "y")
    )


def test_pairing_sees_a_small_difference_that_separate_intervals_would_not() -> None:
    champion = np.arange(400) % 5 != 0  # 80% right
    challenger = champion & (np.arange(400) % 20 != 1)  # and 5% more wrong, on the same photos
    everything = np.ones(400, bool)
    singles = np.arange(400)
    found = paired(answers(champion, singles), answers(challenger, singles), everything, SETTINGS, 0)
    assert found.difference == pytest.approx(-0.05)
    assert found.worse
    better = paired(answers(challenger, singles), answers(champion, singles), everything, SETTINGS, 0)
    assert not better.worse
    assert better.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_a_difference_on_one_leaf_is_noise_however_many_photos_it_has() -> None:
    groups = np.arange(400) // 20  # 20 leaves of 20 photos
    champion, challenger = np.ones(400, bool), groups != 7
    everything = np.ones(400, bool)
    assert not paired(answers(champion, groups), answers(challenger, groups), everything, SETTINGS, 0).worse
    singles = np.arange(400)
    assert paired(answers(champion, singles), answers(challenger, singles), everything, SETTINGS, 0).worse


def test_a_handful_of_disagreements_is_too_few_to_tell() -> None:
    champion = np.ones(60, bool)
    challenger = np.arange(60) >= 5  # five photos of five leaves, all one way: the bootstrap alone is sure
    leaves = np.arange(60)
    found = paired(answers(champion, leaves), answers(challenger, leaves), champion, SETTINGS, 0)
    assert found.interval[1] < 0
    assert (found.only_champion, found.only_challenger) == (5, 0)
    assert found.p_value == pytest.approx(2 * 0.5**5)
    assert not found.worse


@pytest.fixture(scope="module")
def photos(colour_photo: ColourPhoto) -> list[LabelledPhoto]:
    return [colour_photo(c, n, group=f"{c}-{n // 2}") for c in ("red", "green", "blue") for n in range(12)]


def compare(champion: Path, photos: list[LabelledPhoto], challenger: Path) -> Comparison:
    answers, _ = predict_photos(Classifier.load(challenger), photos)
    return compare_on(champion, iter(photos), answers, version="1", settings=SETTINGS, seed=0)


def test_a_challenger_that_confuses_classes_is_worse(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    good = colour_bundle(tmp_path / "good")
    bad = colour_bundle(tmp_path / "bad", confused=("red", "green"))
    found = compare(good, photos, bad)
    assert (found.photos, found.champion, found.challenger) == (36, 1.0, pytest.approx(1 / 3))
    assert found.worse
    assert not compare(bad, photos, good).worse


def test_groups_the_champion_was_trained_on_are_left_out(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    seen = [hashlib.sha256(photo.content).hexdigest() for photo in photos[:3]]  # of groups red-0 and red-1
    champion = colour_bundle(tmp_path / "champion", trained_on=seen)
    found = compare(champion, photos, colour_bundle(tmp_path / "new", confused=("red", "green")))
    assert (found.photos, found.seen) == (32, 4)
    every = [hashlib.sha256(photo.content).hexdigest() for photo in photos]
    knows_all = colour_bundle(tmp_path / "all", trained_on=every)
    found = compare(knows_all, photos, colour_bundle(tmp_path / "other", confused=("red", "green")))
    assert (found.photos, found.seen, found.worse) == (0, 36, False)


def test_a_champion_is_asked_only_for_classes_it_has(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    champion = colour_bundle(tmp_path / "champion", classes=("green", "red"))
    found = compare(champion, photos, colour_bundle(tmp_path / "new"))
    assert (found.photos, found.foreign, found.champion) == (24, 12, 1.0)


def test_the_registry_s_champion_is_compared_on_the_dataset_s_test_photos(
    photos: list[LabelledPhoto],
    colour_bundle: ColourBundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.steps.gate import judge_bundle
    from phytoflow.tracking.evaluation_run import bundle_run
    from phytoflow.tracking.registry import promote, register

    class TestPhotos:
        def photos(self, split: str) -> list[LabelledPhoto]:
            assert split == "test"
            return photos

    monkeypatch.setattr(Dataset, "open", lambda _: TestPhotos())  # making a dataset takes a thousand photos
    output, tracking = tmp_path / "run", TrackingSettings()
    limits = GateSettings(min_accuracy=0.1, min_macro_f1=0.1, max_latency_ms=1000)
    good, bad = colour_bundle(tmp_path / "good"), colour_bundle(tmp_path / "bad", confused=("red", "green"))
    evaluate(good, photos, SETTINGS, tmp_path / "good-figures", 0)
    evaluate(bad, photos, SETTINGS, tmp_path / "bad-figures", 0)

    first = judge_bundle(good, tmp_path, tmp_path / "good-figures", limits, tracking, output)
    assert "no champion" in first.conditions[-1].text
    promote(tracking, output, register(good, tracking, output))
    same = judge_bundle(good, tmp_path, tmp_path / "good-figures", limits, tracking, output)
    assert "the same model" in same.conditions[-1].text
    worse = judge_bundle(bad, tmp_path, tmp_path / "bad-figures", limits, tracking, output)
    assert failed(worse) == ["champion"]
    recorded = bundle_run(tracking, output, bad)
    run = recorded._client.get_run(recorded.run_id)
    assert run.data.tags["gate"].startswith("worse than the champion")
    assert "on the same 36 photos" in worse.reason
