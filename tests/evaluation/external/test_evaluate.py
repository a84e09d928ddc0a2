from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError, StorageError
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.report.kfp_views import kfp_views
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from tests.support.colour_bundle import SHADES, jpeg

ColourPhoto = Callable[..., LabelledPhoto]


def settings(field: Path, **more: str) -> EvaluationSettings:
    return EvaluationSettings(bootstrap_samples=200, latency_photos=5, external_data=str(field), **more)


@pytest.fixture(scope="module")
def own(colour_photo: ColourPhoto) -> list[LabelledPhoto]:
    return [colour_photo(name, n) for name in SHADES for n in range(20)]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen red photos of which twelve look green, sixteen green ones, and soil; no blue."""
    folder = tmp_path_factory.mktemp("elsewhere") / "orchard"
    shown = {"RED_": ["green"] * 12 + ["red"] * 4, "Green": ["green"] * 16, "soil": ["blue"] * 3}
    for label, colours in shown.items():
        (folder / label).mkdir(parents=True)
        for number, colour in enumerate(colours):
            content = jpeg(SHADES[colour], hash_of(label, number))
            (folder / label / f"{number}.jpg").write_bytes(content)
    return folder


def hash_of(label: str, number: int) -> int:
    return 1000 * len(label) + number


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, colour_bundle: Callable[..., Path]) -> Path:
    return colour_bundle(tmp_path_factory.mktemp("field") / "bundle")


@pytest.fixture(scope="module")
def output(
    bundle: Path, own: list[LabelledPhoto], elsewhere: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    evaluate(bundle, own, settings(elsewhere), folder, seed=0)
    return folder


def test_what_is_lost_there_is_measured_on_the_same_classes(output: Path) -> None:
    found = Metrics.model_validate_json((output / "metrics.json").read_text()).external
    assert found is not None
    assert (found.name, found.photos, found.trained_on) == ("orchard", 32, None)
    assert found.accuracy == pytest.approx(20 / 32)
    assert found.folders == {"RED_": "red", "Green": "green"} and found.left_out == ("soil",)
    assert set(found.per_class) == {"red", "green"}
    assert (found.per_class["red"].recall, found.per_class["red"].own_recall) == (4 / 16, 1)
    lost = found.drops["accuracy"]
    assert (lost.own, lost.lost) == (1, pytest.approx(12 / 32))
    assert 0 < lost.interval[0] < lost.lost < lost.interval[1] < 1
    assert found.drops["macro_f1"].lost == pytest.approx(1 - (8 / 20 + 32 / 44) / 2)


def test_it_is_said_in_report_and_card_and_recorded(output: Path) -> None:
    page, card = (output / "report.html").read_text(), (output / "model_card.md").read_text()
    said = "On 32 photos of “orchard” it is right on 62.5%"
    assert f"Warning: {said}" in page[: page.index("Confusion matrix")]
    assert "External test set" in page and "Left out, as no class of the model: soil" in page
    assert said in card and "Photos like those of “orchard”: it is right on only 62.5% of them." in card
    assert "Photos from other cameras" not in page
    scalars = kfp_views(output).scalars
    assert scalars["test.external.accuracy"] == pytest.approx(20 / 32)
    assert scalars["test.external.drops.accuracy.lost"] == pytest.approx(12 / 32)


def test_no_difference_is_called_none(
    bundle: Path, own: list[LabelledPhoto], elsewhere: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "green").symlink_to(elsewhere / "Green")
    evaluate(bundle, own, settings(tmp_path / "there"), tmp_path / "out", seed=0)
    page = (tmp_path / "out/report.html").read_text()
    assert "no significant difference" in page
    assert "Warning" not in page


def test_photos_it_was_trained_on_are_counted(
    colour_bundle: Callable[..., Path], own: list[LabelledPhoto], elsewhere: Path, tmp_path: Path
) -> None:
    import hashlib

    seen = [hashlib.sha256(f.read_bytes()).hexdigest() for f in (elsewhere / "Green").iterdir()]
    known = colour_bundle(tmp_path / "bundle", trained_on=seen)
    found = evaluate(known, own, settings(elsewhere), tmp_path / "out", seed=0).external
    assert found is not None and found.trained_on == 16
    assert "16 photos of them were used in training" in (tmp_path / "out/report.html").read_text()


def test_bad_collections_are_refused_before_a_photo_is_asked(bundle: Path, tmp_path: Path) -> None:
    def unread() -> object:
        raise AssertionError("photos were read")
        yield

    (tmp_path / "dogs/poodle").mkdir(parents=True)
    (tmp_path / "dogs/poodle/1.jpg").write_bytes(jpeg(SHADES["red"]))
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose/1.jpg").write_bytes(jpeg(SHADES["red"]))
    for name, words in [("none", "none"), ("loose", "no class folders"), ("dogs", "poodle")]:
        with pytest.raises((DataError, StorageError), match=words):
            evaluate(bundle, unread(), settings(tmp_path / name), tmp_path / "out", seed=0)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
