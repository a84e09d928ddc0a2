import pytest
from optuna.trial import TrialState, create_trial

from phytoflow.errors import ConfigError
from phytoflow.tuning.best import choose_best, find_start
from tests.support.tuning.trials import make_trial


def test_a_lower_loss_with_a_lower_macro_f1_than_at_the_start_is_not_the_best() -> None:
    start = make_trial(0.30, 0.90, start=True)
    trials = [make_trial(0.10, 0.89), start, make_trial(0.25, 0.90), make_trial(0.26, 0.95)]
    assert choose_best(trials) is trials[2]
    failed = create_trial(state=TrialState.FAIL)
    assert choose_best([failed, *trials]) is trials[2]
    assert choose_best(trials[:2]) is start
    assert choose_best(trials[:1]) is trials[0]  # another worker still trains the starting settings
    assert find_start([failed, *trials]) is start and find_start([failed]) is None


def test_a_trial_beyond_the_limits_of_cost_is_not_the_best() -> None:
    costly, cheap = make_trial(0.10, start=True, excess=(0.2, -0.5)), make_trial(0.30, excess=(-0.1, 0.0))
    assert choose_best([costly, cheap]) is cheap
    with pytest.raises(ConfigError, match="latency and size"):
        choose_best([costly])
