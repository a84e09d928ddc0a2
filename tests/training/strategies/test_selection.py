"""The second stage must earn its place."""

import numpy as np
import torch
from torch import nn

from phytoflow.training.strategies.selection import SHARES, Judged, between, candidates, choose, folds
from phytoflow.training.summary import Candidate

LABELS = torch.tensor([0, 1] * 20)


def judged(*scales: float) -> Judged:
    """Logits that are right by a margin of each scale (negative: wrong)."""
    right = nn.functional.one_hot(LABELS, 2).float()
    return Judged([right * scale for scale in scales], LABELS, np.arange(40))


def noisy(*noises: float) -> Judged:
    """Logits that are right by a margin of 2, plus noise: the more, the more mistakes."""
    noise = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    right = 2 * nn.functional.one_hot(LABELS, 2).float()
    return Judged([right + level * noise for level in noises], LABELS, np.arange(40))


def test_the_one_with_the_fewest_mistakes_is_chosen() -> None:
    assert choose(candidates(noisy(3, 2, 0.5, 2, 3)), 0.0).share == 0.5


def test_a_second_stage_that_is_worse_is_not_used() -> None:
    assert choose(candidates(noisy(0.5, 1, 2, 3, 4)), 0.0).share == 0.0


def test_modesty_is_no_mistake() -> None:
    """Candidates are judged as they are served, at their own temperature."""
    modest = candidates(judged(3, 1.5, 1.5, 1.5, 1.5))
    assert np.ptp([candidate.loss for candidate in modest]) < 0.02  # 0.15 at a temperature of one


def test_of_nearly_equal_losses_the_higher_f1_is_chosen() -> None:
    first = Candidate(share=0, loss=0.060, loss_error=0, macro_f1=0.983)
    lowest = Candidate(share=0.25, loss=0.0295, loss_error=0.01, macro_f1=0.990)
    close = Candidate(share=0.5, loss=0.0310, loss_error=0.01, macro_f1=0.997)
    far = Candidate(share=1, loss=0.0420, loss_error=0.01, macro_f1=0.999)
    assert choose([first, lowest, close, far], 0.0) is close


def test_a_lower_loss_with_a_lower_f1_is_not_used() -> None:
    first = Candidate(share=0, loss=0.5, loss_error=0, macro_f1=0.9)
    assert choose([first, Candidate(share=1, loss=0.2, loss_error=0, macro_f1=0.89)], 0.0) is first


def test_a_photo_or_two_do_not_outweigh_the_loss() -> None:
    first = Candidate(share=0, loss=0.5, loss_error=0, macro_f1=0.97, f1_error=0.01)
    second = Candidate(share=1, loss=0.2, loss_error=0, macro_f1=0.965)
    assert choose([first, second], 0.0) is second
    assert choose([first, second.model_copy(update={"macro_f1": 0.955})], 0.0) is first


def test_the_error_of_a_score_falls_with_the_photos() -> None:
    few, many = (
        candidates(Judged([torch.eye(2)[torch.arange(n) % 2] * 9] * 2, torch.arange(n) % 2, np.arange(n)))[0]
        for n in (20, 2000)
    )
    assert few.macro_f1 == many.macro_f1 == 1
    assert 0.04 < few.f1_error < 0.05 and many.f1_error < 0.001


def test_caution_asks_for_more_than_chance() -> None:
    first = Candidate(share=0, loss=0.50, loss_error=0, macro_f1=0.9)
    second = Candidate(share=1, loss=0.45, loss_error=0.04, macro_f1=0.9)
    assert choose([first, second], 1.0) is second
    assert choose([first, second], 2.0) is first


def test_photos_of_one_group_count_as_one() -> None:
    logits = [torch.randn(40, 2, generator=torch.Generator().manual_seed(s)) for s in range(len(SHARES))]
    alone = candidates(Judged(logits, LABELS, np.arange(40)))[1].loss_error
    repeated = Judged(
        [torch.cat([x, x]) for x in logits], torch.cat([LABELS, LABELS]), np.tile(np.arange(40), 2)
    )
    assert np.isclose(candidates(repeated)[1].loss_error, alone, rtol=0.1)  # not smaller by a root of two


def test_between_is_on_the_line() -> None:
    start, end = nn.Linear(3, 2), nn.Linear(3, 2)
    middle = between(start, end, 0.25)
    assert torch.allclose(middle.weight, 0.75 * start.weight + 0.25 * end.weight)
    assert torch.equal(between(start, end, 0.0).weight, start.weight)
    assert torch.equal(between(start, end, 1.0).weight, end.weight)


def test_folds_never_part_a_group_and_judge_every_photo_once() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 30, 100)
    labels = groups % 3
    parts = folds(labels, groups, 5, seed=1)
    assert sorted(np.concatenate([judge for _, judge in parts])) == list(range(100))
    assert all(not set(groups[fit]) & set(groups[judge]) for fit, judge in parts)
    assert all(set(labels[fit]) == {0, 1, 2} for fit, _ in parts)


def test_few_groups_give_fewer_folds() -> None:
    assert len(folds(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 3, 4, 4]), 5, seed=0)) == 2


def test_joined_judges_are_those_of_all_parts() -> None:
    joined = Judged.joined([judged(3, 1), judged(-2, 1)])
    assert [tuple(logits.shape) for logits in joined.logits] == [(80, 2), (80, 2)]
    assert torch.equal(joined.logits[0][40:], judged(-2).logits[0])
    assert torch.equal(joined.labels[40:], LABELS) and joined.groups[40] == joined.groups[0]
    assert candidates(joined)[0].macro_f1 == 0.5 and candidates(joined)[1].macro_f1 == 1
