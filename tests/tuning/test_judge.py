from pathlib import Path

import pytest

from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train
from phytoflow.tuning.judge import judge
from phytoflow.tuning.sample import write_sample
from tests.support.small_training import Notes

SETTINGS = EvaluationSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def models(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model that learnt nothing and one that learnt to tell checks from stripes."""
    folder = tmp_path_factory.mktemp("models")
    for name, weights in (("poor", "none"), ("good", "imagenet")):
        training = TrainingSettings(
            strategy="linear" if name == "good" else "full", cached_views=1, end_to_end_epochs=1, device="cpu"
        )
        model = ModelSettings(image_size=64, weights=weights)
        train(dataset, model, training, 0, folder / name, str(folder / "checkpoints"), Notes())
    return folder / "poor", folder / "good"


def test_both_models_are_judged_on_the_same_test_photos(dataset: Dataset, models: tuple[Path, Path]) -> None:
    judgement = judge(dataset, *models, SETTINGS, 0)
    assert judgement
    paired = judgement.paired
    assert paired.photos == dataset.count("test")
    assert paired.second > paired.first and judgement.macro_f1[1] > judgement.macro_f1[0]
    assert paired.interval[0] <= paired.difference <= paired.interval[1]
    text = judgement.describe()
    assert f"on {paired.photos} test photos" in text and f"{100 * paired.difference:+.1f} points" in text


def test_a_model_is_as_good_as_itself(dataset: Dataset, models: tuple[Path, Path]) -> None:
    judgement = judge(dataset, models[0], models[0], SETTINGS, 0)
    assert judgement and judgement.paired.interval == (0, 0)
    assert not judgement.paired.second_is_worse and judgement.macro_f1[0] == judgement.macro_f1[1]


def test_without_test_photos_nothing_is_judged(
    dataset: Dataset, models: tuple[Path, Path], tmp_path: Path
) -> None:
    assert judge(write_sample(dataset, 0, tmp_path), *models, SETTINGS, 0) is None
