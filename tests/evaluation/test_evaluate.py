import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)
ColourPhoto = Callable[..., LabelledPhoto]
ColourBundle = Callable[..., Path]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, colour_bundle: ColourBundle) -> Path:
    return colour_bundle(tmp_path_factory.mktemp("bundles") / "bundle")


@pytest.fixture(scope="module")
def photos(colour_photo: ColourPhoto) -> list[LabelledPhoto]:
    """Forty photos of two colours, two of them labelled wrongly, one cut short, in groups of two."""
    good = [colour_photo(c, n, group=f"{c}-{n // 2}") for c in ("red", "green") for n in range(20)]
    wrong = [colour_photo("blue", n, label="red") for n in (90, 91)]
    cut = LabelledPhoto("red/cut.jpg", "red", "cut", good[0].content[: len(good[0].content) * 2 // 3])
    return [*good[:30], cut, *good[30:38], *wrong]


@pytest.fixture(scope="module")
def evaluated(bundle: Path, photos: list[LabelledPhoto], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("evaluation")
    evaluate(bundle, iter(photos), SETTINGS, output, seed=3)
    return output


def test_the_figures_are_those_of_the_photos(evaluated: Path) -> None:
    metrics = Metrics.model_validate_json((evaluated / "metrics.json").read_text())
    assert metrics.photos == 40
    assert metrics.accuracy == pytest.approx(38 / 40)
    assert metrics.confusion_matrix == ((20, 0, 2), (0, 18, 0), (0, 0, 0))
    assert metrics.groups == 10 + 9 + 2
    assert metrics.absent_classes == ("blue",)
    assert [(u.path, u.reason) for u in metrics.unreadable] == [("red/cut.jpg", "truncated")]
    assert 0 < metrics.median_latency_ms <= metrics.p95_latency_ms
    assert metrics.data_hash == "d" * 64


def test_metrics_json_keeps_its_flat_keys(evaluated: Path) -> None:
    found = json.loads((evaluated / "metrics.json").read_text())
    keys = "accuracy macro_precision macro_recall macro_f1 ece mean_latency_ms photos groups per_class"
    assert set(keys.split()) <= set(found)
    assert found["schema_version"] == 2
    assert set(found["intervals"]) == {"accuracy", "macro_precision", "macro_recall", "macro_f1"}


def test_predictions_are_one_row_a_photo(evaluated: Path, photos: list[LabelledPhoto]) -> None:
    predictions = PhotoPredictions.read(evaluated)
    assert set(predictions.paths) == {photo.path for photo in photos} - {"red/cut.jpg"}
    assert predictions.correct.sum() == 38


def test_the_same_seed_gives_the_same_figures(
    bundle: Path, photos: list[LabelledPhoto], evaluated: Path, tmp_path: Path
) -> None:
    again = evaluate(bundle, photos, SETTINGS, tmp_path, seed=3)
    first = Metrics.model_validate_json((evaluated / "metrics.json").read_text())
    timed = {"mean_latency_ms", "median_latency_ms", "p95_latency_ms", "cpu_latency_ms"}
    assert again.model_dump(exclude=timed) == first.model_dump(exclude=timed)


def test_other_files_of_the_folder_are_left_alone(
    bundle: Path, photos: list[LabelledPhoto], tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    evaluate(bundle, photos[:4], SETTINGS, tmp_path, seed=0)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_photos_known_from_training_are_counted_and_said(
    colour_bundle: ColourBundle, photos: list[LabelledPhoto], tmp_path: Path
) -> None:
    seen = [hashlib.sha256(photo.content).hexdigest() for photo in photos[:7]]
    unfair = evaluate(
        colour_bundle(tmp_path / "seen", trained_on=seen), photos, SETTINGS, tmp_path / "out", seed=0
    )
    assert unfair.trained_on == 7
    assert (
        "Not a fair test: 7 of 40 photos were used in training." in (tmp_path / "out/report.html").read_text()
    )
    other = colour_bundle(tmp_path / "other", trained_on=["0" * 64])
    assert evaluate(other, photos, SETTINGS, tmp_path / "out", seed=0).trained_on == 0


def test_photos_are_streamed(bundle: Path, colour_photo: ColourPhoto, tmp_path: Path) -> None:
    alive: set[int] = set()
    most = 0

    class Content(bytes):
        def __del__(self) -> None:
            alive.discard(id(self))

    def stream() -> Iterator[LabelledPhoto]:
        nonlocal most
        sample = colour_photo("red", 0)
        for number in range(300):
            content = Content(sample.content)
            alive.add(id(content))
            most = max(most, len(alive))
            yield LabelledPhoto(f"red/{number}.jpg", "red", str(number), content)
            del content

    evaluate(bundle, stream(), SETTINGS, tmp_path, seed=0)
    assert most < 100


def test_unknown_folders_are_named_with_their_nearest_class(
    bundle: Path, colour_photo: ColourPhoto, tmp_path: Path
) -> None:
    odd = [colour_photo("red", n, label=label) for n, label in enumerate(["red", "Gren", "soil", "Gren"])]
    with pytest.raises(
        DataError, match=r"'Gren' \(nearest: 'green'\), 'soil'\. Its classes: red, green, blue"
    ):
        evaluate(bundle, odd, SETTINGS, tmp_path, seed=0)
    assert not list(tmp_path.iterdir())


def test_a_failed_evaluation_leaves_no_older_figures_behind_as_its_own(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photo to evaluate on"):
        evaluate(bundle, [LabelledPhoto("red/a.jpg", "red", "a", b"")], SETTINGS, tmp_path, seed=0)
    assert not (tmp_path / "metrics.json").exists()
