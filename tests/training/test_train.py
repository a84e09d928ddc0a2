"""The whole training step on small pictures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.checkpoint import load_trained
from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from phytoflow.training.metrics import temperature
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.strategies import two_stage
from phytoflow.training.strategies.selection import Judged, candidates
from phytoflow.training.summary import TrainingSummary
from phytoflow.training.train import train
from tests.support.small_training import MODEL, Notes, small_dataset

FAST = {"cached_views": 2, "finetune_epochs": 2, "min_finetune_steps": 4, "folds": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("small"))


def trained(
    dataset: Dataset, folder: Path, model: ModelSettings = MODEL, **changes: object
) -> TrainingSummary:
    settings = TrainingSettings(**(FAST | changes))  # type: ignore[arg-type]
    return train(dataset, model, settings, 0, folder / "model", str(folder / "checkpoints"), Notes())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_trained(folder / "model").model.state_dict()


def test_a_small_set_is_cross_validated_and_learnt(dataset: Dataset, tmp_path: Path) -> None:
    notes = Notes()
    facts = train(dataset, MODEL, TrainingSettings(**FAST), 0, tmp_path / "m", str(tmp_path / "c"), notes)  # type: ignore[arg-type]
    assert facts.trained_on == ("train", "validation") and "2-fold" in facts.evidence_from
    assert [c.share for c in facts.evidence] == [0, 0.25, 0.5, 0.75, 1]
    model = load_trained(tmp_path / "m")
    assert model.classes == dataset.classes and model.facts["temperature"] == facts.temperature
    test = list(dataset.photos("test"))
    with torch.inference_mode():
        answers = model.model(torch.from_numpy(np.stack([model.preprocessing(p.content) for p in test])))
    right = [dataset.classes[int(a)] == p.label for a, p in zip(answers.argmax(1), test, strict=True)]
    assert np.mean(right) >= 0.8
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == sorted(
        ["model.safetensors", "model.json", "history.csv", "curves.png"]
    )
    assert notes.names == ["curves.png", "history.csv"] and not list((tmp_path / "c").iterdir())


def test_fewer_folds_may_judge(dataset: Dataset, tmp_path: Path) -> None:
    facts = trained(dataset, tmp_path, evaluated_folds=1)
    count = dataset.count("train") + dataset.count("validation")
    judged = int(facts.evidence_from.split(", ")[1].split()[0])
    assert facts.evidence_from.startswith("1-fold") and 0 < judged < count


@pytest.mark.parametrize("cross_validate", [0, 600])
def test_under_the_field_preset_each_photo_judges_in_two_views(
    dataset: Dataset, tmp_path: Path, cross_validate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second view decides with the first, and the temperature is that of photos as they are."""
    judged: list[Judged] = []
    monkeypatch.setattr(two_stage, "candidates", lambda given: judged.append(given) or candidates(given))
    plain = trained(dataset, tmp_path / "a", augmentation="light", cross_validate_below=cross_validate)
    field = trained(dataset, tmp_path / "b", augmentation="outdoor", cross_validate_below=cross_validate)
    light, both = judged
    assert len(both.labels) == 2 * len(light.labels)
    half = len(light.labels)
    assert torch.equal(both.labels[:half], both.labels[half:])
    assert not torch.allclose(both.logits[0][:half], both.logits[0][half:])
    chosen = both.logits[[c.share for c in field.evidence].index(field.share)]
    assert field.temperature == temperature(chosen[:half], both.labels[:half])
    assert "under the field preset" in field.evidence_from
    assert "outdoor" not in plain.evidence_from


@pytest.mark.parametrize("tuned", [False, True])
def test_depthwise_filters_are_tuned_only_where_asked_for(
    dataset: Dataset, tmp_path: Path, tuned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_stage, "choose", lambda found, caution: found[-1])
    trained(dataset, tmp_path, cross_validate_below=0, finetune_epochs=1, train_depthwise=tuned)
    before = dict(
        create_model(MODEL, len(dataset.classes), TrainingSettings().finetune_blocks).named_modules()
    )
    changed = {
        layer.groups > 1
        for name, layer in load_trained(tmp_path / "model").model.named_modules()
        if isinstance(layer, torch.nn.Conv2d) and not torch.equal(layer.weight, before[name].weight)
    }
    assert changed == ({False, True} if tuned else {False})


def test_a_large_set_is_judged_on_its_validation_photos(dataset: Dataset, tmp_path: Path) -> None:
    facts = trained(
        dataset, tmp_path, cross_validate_below=0, mixup=0.2, cutmix=0.5, class_balancing="sampler"
    )
    assert facts.trained_on == ("train",)
    assert facts.evidence_from == f"{dataset.count('validation')} validation photos"
    history = pd.read_csv(tmp_path / "model" / "history.csv")
    assert {"train/loss", "validation/loss", "validation/macro_f1", "rate"} <= set(history.columns)


def test_the_same_seed_gives_the_same_weights(dataset: Dataset, tmp_path: Path) -> None:
    both = [trained(dataset, tmp_path / name, cross_validate_below=0) for name in ("one", "two")]
    assert both[0].evidence == both[1].evidence
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_where_the_second_stage_is_off_the_probe_is_the_model(dataset: Dataset, tmp_path: Path) -> None:
    facts = trained(dataset, tmp_path, finetune_blocks=0)
    assert facts.stage_chosen == "head" and len(facts.evidence) == 1 and facts.strength > 0


def test_a_ruinous_second_stage_leaves_the_probe(dataset: Dataset, tmp_path: Path) -> None:
    facts = trained(dataset, tmp_path, finetune_learning_rate=0.5, ema_decay=0.0)
    assert facts.stage_chosen == "head" and facts.share == 0.0
    assert facts.evidence[-1].loss > facts.evidence[0].loss


def test_frozen_layers_and_their_norms_do_not_move(dataset: Dataset, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(two_stage, "choose", lambda found, caution: found[-1])
    trained(dataset, tmp_path, cross_validate_below=0)
    after = weights(tmp_path)
    from phytoflow.models.factory import create_model

    before = create_model(MODEL, 2).state_dict()
    cut = create_model(MODEL, 2).cut
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert all(int(name.split(".")[1]) >= cut for name in moved if name.startswith("body."))
    assert not any("running" in name for name in moved)
    assert any(name.startswith(f"body.{cut}.") for name in moved)


def test_beyond_the_budget_the_trunk_runs_live(dataset: Dataset, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(two_stage, "choose", lambda found, caution: found[-1])
    facts = trained(dataset, tmp_path, cross_validate_below=0, activation_cache_bytes=0)
    assert facts.stage_chosen == "tail" and facts.validation["accuracy"] > 0.5


def test_a_dense_head(dataset: Dataset, tmp_path: Path) -> None:
    model = MODEL.model_copy(update={"head": "mlp"})
    facts = trained(dataset, tmp_path, model, cross_validate_below=0, head_epochs=15, head_learning_rate=3e-3)
    assert facts.strength == 0.0 and facts.validation["accuracy"] > 0.5
    assert json.loads((tmp_path / "model" / "model.json").read_text())["facts"]["head"] == "mlp"


def test_without_pretrained_weights_every_layer_learns(dataset: Dataset, tmp_path: Path) -> None:
    model = ModelSettings(backbone="attention_cnn", image_size=64)
    facts = trained(dataset, tmp_path, model, end_to_end_epochs=2)
    assert facts.stage_chosen == "whole" and facts.trained_on == ("train",)
    state = weights(tmp_path)
    assert state["body.0.1.num_batches_tracked"] > 0
