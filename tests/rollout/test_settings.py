"""Settings of a rollout."""

import pytest
from pydantic import ValidationError

from phytoflow.rollout.settings import RolloutSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"canary_percents": (5, 1)},
        {"canary_percents": ()},
        {"canary_percents": (0, 50)},
        {"canary_percents": (50, 100)},
        {"bad_slow": 0.4},
        {"bad_failures": 1.0},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RolloutSettings(**wrong)  # type: ignore[arg-type]
