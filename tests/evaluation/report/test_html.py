import re
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.report.kfp_views import views
from phytoflow.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)


@pytest.fixture(scope="module")
def evaluation(
    tmp_path_factory: pytest.TempPathFactory,
    colour_bundle: Callable[..., Path],
    colour_photo: Callable[..., LabelledPhoto],
) -> Path:
    folder = tmp_path_factory.mktemp("report")
    photos = [colour_photo(c, n) for c in ("red", "green") for n in range(12)]
    photos.append(colour_photo("blue", 50, label="red", group="<script>alert(1)</script>"))
    photos.append(LabelledPhoto("red/<b>odd & bad</b>.jpg", "red", "x", photos[-1].content))
    evaluate(colour_bundle(folder / "bundle"), photos, SETTINGS, folder / "out", seed=0)
    return folder / "out"


def test_the_page_needs_no_network_and_no_other_file(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert len(sources) >= 4
    assert all(source.startswith("data:image/") for source in sources)
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "<script" not in page


def test_the_page_opens_with_the_verdict_and_three_figures_with_intervals(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    assert "<h1>Right on 92 of 100 photos.</h1>" in page
    assert page.count('<div class="tile">') == 3
    first_screen = page[: page.index("What is taken for what")]
    assert first_screen.count("likely ") == 3
    assert "red taken for blue (2 photos)" in first_screen
    assert "Not tested at all, for want of photos: blue" in first_screen


def test_mistakes_are_shown_and_names_are_escaped(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    shown = page[page.index("The surest mistakes") : page.index("The least sure answers")]
    assert shown.count("<img") == 2
    assert "red/&lt;b&gt;odd &amp; bad&lt;/b&gt;.jpg" in shown
    assert "but it is red" in shown


def test_views_are_plain_and_finite(evaluation: Path) -> None:
    found = views(evaluation)
    assert found.scalars["accuracy"] == pytest.approx(24 / 26)
    assert found.scalars["accuracy_low"] < found.scalars["accuracy"]
    assert found.classes == ["red", "green", "blue"]
    assert found.confusion_matrix == [[12, 0, 2], [0, 12, 0], [0, 0, 0]]
    assert set(found.roc_by_class) == {"red", "green"}
    assert found.markdown.startswith("# Right on 92 of 100")
    for roc in (found.roc, *found.roc_by_class.values()):
        assert len(roc.fpr) == len(roc.tpr) == len(roc.threshold) <= 200
        assert all(0 <= value <= 1 for values in roc for value in values)
        assert (roc.fpr[0], roc.tpr[0], roc.fpr[-1], roc.tpr[-1]) == (0, 0, 1, 1)


def test_kfp_takes_the_views(evaluation: Path) -> None:
    dsl = pytest.importorskip("kfp.dsl")
    found, shown, metrics = views(evaluation), dsl.ClassificationMetrics(), dsl.Metrics()
    shown.log_confusion_matrix(found.classes, found.confusion_matrix)
    shown.log_roc_curve(*found.roc)
    for name, value in found.scalars.items():
        metrics.log_metric(name, value)
    assert len(shown.metadata["confidenceMetrics"]) == len(found.roc.fpr)
    assert metrics.metadata["photos"] == 26.0
