from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import StorageError
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.report import writer
from phytoflow.evaluation.report.writer import CONFUSION_FILE, RELIABILITY_FILE
from phytoflow.evaluation.results import read_metrics
from tests.evaluation.report.conftest import SETTINGS


def test_the_folder_holds_every_file(evaluation: Path) -> None:
    assert {path.name for path in evaluation.iterdir()} == {
        "predictions.csv",
        CONFUSION_FILE,
        RELIABILITY_FILE,
        "report.html",
        "model_card.md",
        "metrics.json",
    }
    assert (evaluation / RELIABILITY_FILE).read_bytes().startswith(b"\x89PNG")
    assert (evaluation / CONFUSION_FILE).read_text().startswith("<svg")
    assert read_metrics(evaluation).photos == 26


def test_an_evaluation_that_breaks_off_leaves_no_metrics_not_even_older_ones(
    colour_bundle: Callable[..., Path],
    colour_photo: Callable[..., LabelledPhoto],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle, output, original = colour_bundle(tmp_path / "bundle"), tmp_path / "out", writer.atomic_file

    def full_at_the_card(path: Path) -> AbstractContextManager[Path]:
        if path.suffix == ".md":
            raise StorageError(f"no space left to write {path}")
        return original(path)

    output.mkdir()
    (output / "metrics.json").write_text("{}")
    monkeypatch.setattr(writer, "atomic_file", full_at_the_card)
    with pytest.raises(StorageError, match="model_card"):
        evaluate(bundle, [colour_photo("red", 1)], SETTINGS, output, seed=0)
    assert (output / "report.html").exists() and not (output / "metrics.json").exists()
