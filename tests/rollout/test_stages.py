"""The order of stages and the ends of a rollout."""

from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage, first_stage, next_stage, stopped_stage


def test_the_canary_follows_the_settings() -> None:
    settings = RolloutSettings(canary_percents=(10, 40))
    stages = [first_stage()]
    while stages[-1].is_active:
        stages.append(next_stage(stages[-1], settings))
    assert [(stage.name, stage.percent) for stage in stages] == [
        ("shadow", 0),
        ("canary", 10),
        ("canary", 40),
        ("watch", 100),
        ("promoted", 100),
    ]


def test_what_is_stopped_serves_nobody() -> None:
    canary, watch = Stage("canary", 50), Stage("watch", 100)
    assert stopped_stage(canary, by_hand=False, for_accuracy=True) == Stage("refused", 0)
    assert stopped_stage(canary, by_hand=True, for_accuracy=True) == Stage("aborted", 0)
    assert stopped_stage(watch, by_hand=False, for_accuracy=True) == Stage("rolled_back", 0)
