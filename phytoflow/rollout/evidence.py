"""What is counted while two models answer the same photos."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """Counts since a rollout began; a pair is one photo that both models were asked about.

    Attributes:
        pairs: Photos that both models answered.
        failures: Photos that the champion answered and the challenger did not.
        slow: Pairs in which the challenger took ``slow_factor`` times the champion's time or longer.
        disagreements: Pairs with another class.
        shift: Sum over pairs of the total variation distance between the probabilities.
        challenger_right: Labelled disagreements in which the challenger alone was right.
        champion_right: Labelled disagreements in which the champion alone was right.
        stage_pairs: Pairs since the stage began.
        last: Id of the last comparison that was counted; 0 if there was none.
        recent_failures: Failures among the newest photos, in the window ``sequential.CRASH``.
        recent_slow: Slow ones among the newest pairs, in the window ``sequential.DECLINE``.
        recent_disagreements: Pairs with another class among the same.
        recent_shift: Sum of the total variation distances of the same.
    """

    pairs: int = 0
    failures: int = 0
    slow: int = 0
    disagreements: int = 0
    shift: float = 0.0
    challenger_right: int = 0
    champion_right: int = 0
    stage_pairs: int = 0
    last: int = 0
    recent_failures: int = 0
    recent_slow: int = 0
    recent_disagreements: int = 0
    recent_shift: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return asdict(self)
