from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)


@pytest.fixture(scope="session")
def evaluation(
    tmp_path_factory: pytest.TempPathFactory,
    colour_bundle: Callable[..., Path],
    colour_photo: Callable[..., LabelledPhoto],
) -> Path:
    """An evaluation of 26 photos, two of them wrong, some with names that are markup."""
    folder = tmp_path_factory.mktemp("report")
    photos = [colour_photo(c, n) for c in ("red", "green") for n in range(12)]
    photos.append(colour_photo("blue", 50, label="red", group="<script>alert(1)</script>"))
    photos.append(LabelledPhoto("red/<b>odd & bad</b>.jpg", "red", "x", photos[-1].content))
    evaluate(colour_bundle(folder / "bundle"), photos, SETTINGS, folder / "out", seed=0)
    return folder / "out"
