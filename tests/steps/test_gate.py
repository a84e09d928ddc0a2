from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import GateError
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.steps.gate import judge_bundle, refuse
from phytoflow.tracking.evaluation_run import bundle_run
from phytoflow.tracking.registry import promote, register
from phytoflow.tracking.settings import TrackingSettings

SETTINGS = EvaluationSettings(bootstrap_samples=400, latency_photos=5)
ColourPhoto = Callable[..., LabelledPhoto]
ColourBundle = Callable[..., Path]


@pytest.fixture(scope="module")
def photos(colour_photo: ColourPhoto) -> list[LabelledPhoto]:
    return [colour_photo(c, n, group=f"{c}-{n // 2}") for c in ("red", "green", "blue") for n in range(12)]


def test_the_registry_s_champion_is_compared_on_the_dataset_s_test_photos(
    photos: list[LabelledPhoto],
    colour_bundle: ColourBundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    assert [c.name for c in worse.conditions if not c.passed] == ["champion"]
    recorded = bundle_run(tracking, output, bad)
    run = recorded._client.get_run(recorded.run_id)
    assert run.data.tags["gate"].startswith("significantly worse than the champion")
    assert "on the same 36 photos" in worse.reason


def test_a_refusal_ends_the_run_with_the_gates_exit_code() -> None:
    with pytest.raises(GateError, match=r"accuracy 0\.5 is below 0\.8") as caught:
        refuse("accuracy 0.5 is below 0.8")
    assert caught.value.exit_code == 10
    assert "report.html" in caught.value.remedy
