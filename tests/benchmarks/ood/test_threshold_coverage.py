import numpy as np

from benchmarks.ood.threshold_coverage import MOST, SPLITS, rates_elsewhere, rules, table


def test_photos_that_score_alike_within_a_leaf_need_the_rule_that_bootstraps_leaves() -> None:
    generator = np.random.default_rng(0)
    scores = (generator.normal(0, 1, 90)[:, None] + generator.normal(0, 0.2, (90, 6))).ravel()
    groups = np.repeat(np.arange(90), 6)
    plain, drawn = (rates_elsewhere(scores, groups, rule) for rule in rules(0.03).values())
    assert len(plain) == len(drawn) == SPLITS
    assert (drawn > MOST).mean() < (plain > MOST).mean() / 2
    assert len(table(scores, groups, 0.03)) == 4


def test_a_threshold_is_never_set_on_the_photos_it_is_tried_on() -> None:
    """Of ten groups a third is held out; rates are those of the other seven."""
    scores, groups = np.arange(10.0), np.arange(10)
    shares = rates_elsewhere(scores, groups, lambda known, _: float(known.max()))
    assert set(np.round(shares * 7)) <= set(range(8))
    assert shares.max() > 0
