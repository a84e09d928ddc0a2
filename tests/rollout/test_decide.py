"""From counts to decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phytoflow.rollout.decide import decide
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage, first_stage

SETTINGS = RolloutSettings()
LAST = Stage("canary", 50)
GOOD = Evidence(
    pairs=400, disagreements=10, shift=10.0, challenger_right=8, champion_right=1, stage_pairs=100
)


def test_a_good_challenger_goes_through_all_stages() -> None:
    stage, seen = first_stage(), []
    while stage.is_active:
        seen.append((stage.name, stage.percent))
        decision = decide(stage, replace(GOOD, pairs=4000, stage_pairs=500), SETTINGS)
        assert decision.action == "advance"
        stage = decision.stage
    assert seen == [
        ("shadow", 0),
        ("canary", 1),
        ("canary", 5),
        ("canary", 25),
        ("canary", 50),
        ("watch", 100),
    ]
    assert stage == Stage("promoted", 100)


def test_too_little_evidence_waits_and_says_how_much_is_missing() -> None:
    decision = decide(first_stage(), Evidence(pairs=63, stage_pairs=63), SETTINGS)
    assert (decision.action, decision.reason) == ("wait", "needs 37 more answers")
    decision = decide(LAST, Evidence(pairs=400, disagreements=40, stage_pairs=100), SETTINGS)
    assert decision.action == "wait" and "more labels" in decision.reason


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (Evidence(failures=5), "failed on 5 of 5"),
        (Evidence(pairs=5000, failures=14, recent_failures=14), "failed on 14 of the newest 24"),
        (Evidence(pairs=20, slow=20), "slow on 20 of 20"),
        (Evidence(pairs=60, disagreements=50), "another class on 50 of 60"),
        (Evidence(pairs=100, shift=70.0), "differ by 0.70"),
        (Evidence(pairs=5000, slow=1200, recent_slow=190), "slow on 190 of the newest 200"),
        (Evidence(pairs=5000, disagreements=400, recent_disagreements=150), "class on 150 of the newest 200"),
        (
            Evidence(pairs=5000, shift=400.0, recent_shift=120.0),
            "differ by 0.60 on average of the newest 200",
        ),
    ],
)
def test_faults_stop_without_labels(evidence: Evidence, reason: str) -> None:
    decision = decide(Stage("canary", 5), evidence, SETTINGS)
    assert decision.action == "stop" and reason in decision.reason
    assert decision.stage == Stage("aborted", 0)


def test_a_less_accurate_one_is_refused_and_rolled_back_after_promotion() -> None:
    worse = replace(GOOD, disagreements=60, challenger_right=4, champion_right=24)
    assert decide(LAST, worse, SETTINGS).stage == Stage("refused", 0)
    assert decide(Stage("watch", 100), worse, SETTINGS).stage == Stage("rolled_back", 0)
