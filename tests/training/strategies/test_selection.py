"""The second stage is used only if held-out photos favour it."""

import numpy as np
import torch
from torch import nn

from phytoflow.training.strategies.selection import (
    ALPHAS,
    HeldOutLogits,
    evaluate_candidates,
    grouped_folds,
    interpolate_weights,
    predict_logits,
    select_candidate,
)
from phytoflow.training.summary import InterpolationCandidate

LABELS = torch.tensor([0, 1] * 20)


def held_out(*scales: float) -> HeldOutLogits:
    """Logits that are right by a margin of each scale (negative: wrong)."""
    right = nn.functional.one_hot(LABELS, 2).float()
    return HeldOutLogits([right * scale for scale in scales], LABELS, np.arange(40))


def noisy(*noises: float) -> HeldOutLogits:
    """Logits that are right by a margin of 2, plus noise: the more, the more mistakes."""
    noise = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    right = 2 * nn.functional.one_hot(LABELS, 2).float()
    return HeldOutLogits([right + level * noise for level in noises], LABELS, np.arange(40))


def test_the_one_with_the_fewest_mistakes_is_chosen() -> None:
    assert select_candidate(evaluate_candidates(noisy(3, 2, 0.5, 2, 3)), 0.0).alpha == 0.5


def test_a_second_stage_that_is_worse_is_not_used() -> None:
    assert select_candidate(evaluate_candidates(noisy(0.5, 1, 2, 3, 4)), 0.0).alpha == 0.0


def test_underconfidence_is_no_mistake() -> None:
    """Candidates are evaluated as they are served, each at its own temperature."""
    underconfident = evaluate_candidates(held_out(3, 1.5, 1.5, 1.5, 1.5))
    assert np.ptp([candidate.loss for candidate in underconfident]) < 0.02  # 0.15 at a temperature of one


def test_of_nearly_equal_losses_the_higher_f1_is_chosen() -> None:
    first = InterpolationCandidate(alpha=0, loss=0.060, loss_error=0, macro_f1=0.983)
    lowest = InterpolationCandidate(alpha=0.25, loss=0.0295, loss_error=0.01, macro_f1=0.990)
    close = InterpolationCandidate(alpha=0.5, loss=0.0310, loss_error=0.01, macro_f1=0.997)
    far = InterpolationCandidate(alpha=1, loss=0.0420, loss_error=0.01, macro_f1=0.999)
    assert select_candidate([first, lowest, close, far], 0.0) is close


def test_a_lower_loss_with_a_lower_f1_is_not_used() -> None:
    first = InterpolationCandidate(alpha=0, loss=0.5, loss_error=0, macro_f1=0.9)
    second = InterpolationCandidate(alpha=1, loss=0.2, loss_error=0, macro_f1=0.89)
    assert select_candidate([first, second], 0.0) is first


def test_a_photo_or_two_do_not_outweigh_the_loss() -> None:
    first = InterpolationCandidate(alpha=0, loss=0.5, loss_error=0, macro_f1=0.97, macro_f1_error=0.01)
    second = InterpolationCandidate(alpha=1, loss=0.2, loss_error=0, macro_f1=0.965)
    assert select_candidate([first, second], 0.0) is second
    assert select_candidate([first, second.model_copy(update={"macro_f1": 0.955})], 0.0) is first


def test_the_error_of_a_score_falls_with_the_photos() -> None:
    def perfect(count: int) -> InterpolationCandidate:
        labels = torch.arange(count) % 2
        return evaluate_candidates(HeldOutLogits([torch.eye(2)[labels] * 9], labels, np.arange(count)))[0]

    few, many = perfect(20), perfect(2000)
    assert few.macro_f1 == many.macro_f1 == 1
    assert 0.04 < few.macro_f1_error < 0.05 and many.macro_f1_error < 0.001


def test_an_improvement_may_have_to_exceed_chance() -> None:
    first = InterpolationCandidate(alpha=0, loss=0.50, loss_error=0, macro_f1=0.9)
    second = InterpolationCandidate(alpha=1, loss=0.45, loss_error=0.04, macro_f1=0.9)
    assert select_candidate([first, second], 1.0) is second
    assert select_candidate([first, second], 2.0) is first


def test_photos_of_one_group_count_as_one_observation() -> None:
    logits = [torch.randn(40, 2, generator=torch.Generator().manual_seed(s)) for s in range(len(ALPHAS))]
    alone = evaluate_candidates(HeldOutLogits(logits, LABELS, np.arange(40)))[1].loss_error
    repeated = HeldOutLogits(
        [torch.cat([x, x]) for x in logits], torch.cat([LABELS, LABELS]), np.tile(np.arange(40), 2)
    )
    again = evaluate_candidates(repeated)[1].loss_error
    assert np.isclose(again, alone, rtol=0.1)  # not smaller by a root of two


def test_interpolated_weights_are_on_the_line() -> None:
    start, end = nn.Linear(3, 2), nn.Linear(3, 2)
    middle = interpolate_weights(start, end, 0.25)
    assert torch.allclose(middle.weight, 0.75 * start.weight + 0.25 * end.weight)
    assert torch.equal(interpolate_weights(start, end, 0.0).weight, start.weight)
    assert torch.equal(interpolate_weights(start, end, 1.0).weight, end.weight)


def test_folds_never_split_a_group_and_hold_every_photo_out_once() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 30, 100)
    labels = groups % 3
    parts = grouped_folds(labels, groups, 5, seed=1)
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(100))
    assert all(not set(groups[fit]) & set(groups[held]) for fit, held in parts)
    assert all(set(labels[fit]) == {0, 1, 2} for fit, _ in parts)


def test_few_groups_give_fewer_folds() -> None:
    assert len(grouped_folds(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 3, 4, 4]), 5, seed=0)) == 2


def test_concatenated_photos_are_those_of_all_parts() -> None:
    combined = HeldOutLogits.concatenate([held_out(3, 1), held_out(-2, 1)])
    assert [tuple(logits.shape) for logits in combined.logits] == [(80, 2), (80, 2)]
    assert torch.equal(combined.logits[0][40:], held_out(-2).logits[0])
    assert torch.equal(combined.labels[40:], LABELS) and combined.groups[40] == combined.groups[0]
    assert evaluate_candidates(combined)[0].macro_f1 == 0.5 and evaluate_candidates(combined)[1].macro_f1 == 1


def test_logits_are_predicted_in_batches_of_any_size() -> None:
    network, inputs = nn.Linear(3, 2), np.random.default_rng(0).normal(size=(10, 3)).astype(np.float16)
    expected = network(torch.from_numpy(inputs.astype(np.float32)))
    assert torch.allclose(predict_logits(network, inputs, batch=4), expected, atol=1e-6)
