"""Both stages, and the selection between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from phytoflow.training.context import TrainingContext
from phytoflow.training.metrics import temperature
from phytoflow.training.strategies import two_stage
from phytoflow.training.strategies.selection import ALPHAS, HeldOutLogits, evaluate_candidates
from phytoflow.training.strategies.two_stage import train_two_stages
from tests.training.strategies.test_stages import changed, moved


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[HeldOutLogits]:
    """What the candidates were evaluated on."""
    seen: list[HeldOutLogits] = []
    monkeypatch.setattr(
        two_stage, "evaluate_candidates", lambda given: seen.append(given) or evaluate_candidates(given)
    )
    return seen


def select(monkeypatch: pytest.MonkeyPatch, alpha: float) -> None:
    """Makes the selection take this candidate."""
    monkeypatch.setattr(
        two_stage, "select_candidate", lambda found, _: next(c for c in found if c.alpha == alpha)
    )


def test_a_small_set_holds_out_each_photo_once_and_is_fitted_on_all(
    context: TrainingContext, evaluated: list[HeldOutLogits], monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, 0.5)
    outcome = train_two_stages(context)
    photos = context.dataset.count("train") + context.dataset.count("validation")
    assert len(evaluated[0].labels) == photos == len(outcome.labels)
    assert (
        outcome.selected_on == f"2-fold cross-validation, {photos} of {photos} training and validation photos"
    )
    assert [candidate.alpha for candidate in outcome.candidates] == list(ALPHAS)
    assert outcome.trained_on == ("train", "validation") and outcome.l2_penalty > 0
    assert [epoch["fit"] for epoch in context.history] == ["fold 1 of 2", "fold 2 of 2", "final fit"]
    assert set(context.seconds) == {"features", "head", "cross_validation", "final"}
    assert torch.equal(outcome.logits, evaluated[0].logits[2])


def test_fewer_folds_may_be_evaluated(context: TrainingContext, evaluated: list[HeldOutLogits]) -> None:
    context = changed(context, evaluated_folds=1)
    outcome = train_two_stages(context)
    photos = context.dataset.count("train") + context.dataset.count("validation")
    assert 0 < len(evaluated[0].labels) < photos and outcome.selected_on.startswith("1-fold")


def test_if_the_head_is_selected_nothing_is_finetuned_in_vain(
    context: TrainingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, 0.0)
    outcome = train_two_stages(context)
    assert [epoch["fit"] for epoch in context.history] == ["fold 1 of 2", "fold 2 of 2"]
    assert not moved(outcome.network[0], context.classifier.tail)  # type: ignore[index]


def test_a_large_set_is_evaluated_on_its_validation_photos(
    context: TrainingContext, evaluated: list[HeldOutLogits]
) -> None:
    context = changed(context, cross_validate_below=0)
    outcome = train_two_stages(context)
    assert evaluated[0].labels.tolist() == context.dataset.labels("validation")
    assert outcome.selected_on == f"{context.dataset.count('validation')} validation photos"
    assert outcome.trained_on == ("train",)
    assert {"train/loss", "validation/loss", "validation/macro_f1", "rate"} <= context.history[0].keys()


@pytest.mark.parametrize("cross_validate_below", [0, 600])
def test_under_the_outdoor_preset_each_photo_is_evaluated_in_two_views(
    context: TrainingContext, evaluated: list[HeldOutLogits], cross_validate_below: int
) -> None:
    """The second view decides with the first; the temperature is that of photos as they are."""
    context = changed(context, augmentation="outdoor", cross_validate_below=cross_validate_below)
    outcome = train_two_stages(context)
    (both,), half = evaluated, len(evaluated[0].labels) // 2
    assert torch.equal(both.labels[:half], both.labels[half:])
    assert not torch.allclose(both.logits[0][:half], both.logits[0][half:])
    chosen = both.logits[outcome.candidates.index(outcome.chosen)]
    assert torch.equal(outcome.logits, chosen[:half]) and len(outcome.labels) == half
    assert temperature(outcome.logits, outcome.labels) == temperature(chosen[:half], both.labels[:half])
    assert outcome.selected_on.endswith("each as it is and under the outdoor preset")


@pytest.mark.parametrize("changes", [{"finetune_blocks": 0}, {"finetune_epochs": 0}])
def test_without_a_second_stage_the_probe_is_the_model(
    context: TrainingContext, changes: dict[str, int]
) -> None:
    context = changed(context, **changes)
    outcome = train_two_stages(context)
    assert [candidate.alpha for candidate in outcome.candidates] == [0] and context.history == []


def test_a_dense_head_is_a_fit_of_its_own(context: TrainingContext) -> None:
    dense = replace(context, model=context.model.model_copy(update={"head": "mlp"}))
    dense.__dict__["features"] = context.features
    dense = changed(dense, cross_validate_below=0, head_epochs=2)
    outcome = train_two_stages(dense)
    fits = [epoch["fit"] for epoch in dense.history]
    assert outcome.l2_penalty == 0 and set(fits) == {"final fit head", "final fit"}
