"""Settings of a rollout."""

from __future__ import annotations

from pydantic import Field, model_validator

from phytoflow.settings_base import Section, Share


class RolloutSettings(Section):
    """How a challenger is compared with the champion, and when it is stopped or promoted."""

    canary_percents: tuple[int, ...] = Field(
        (1, 5, 25, 50), description="Percent of users that the challenger answers, stage by stage."
    )
    min_pairs: int = Field(100, ge=1, description="Photos that both models answer in each stage, at least.")
    watch_pairs: int = Field(
        500, ge=0, description="Photos after promotion in which a worse challenger is rolled back."
    )
    expected_failures: Share = Field(0.01, gt=0, description="Share of failed answers that is tolerated.")
    bad_failures: Share = Field(0.05, description="Share of failed answers that is to be detected.")
    slow_factor: float = Field(
        1.5, gt=1, description="An answer is slow if it takes this many times the champion's."
    )
    expected_slow: Share = Field(0.5, gt=0, description="Share of slow answers that is tolerated.")
    bad_slow: Share = Field(0.75, description="Share of slow answers that is to be detected.")
    expected_disagreements: Share = Field(
        0.3, gt=0, description="Share of photos with another class that is tolerated."
    )
    bad_disagreements: Share = Field(
        0.5, description="Share of photos with another class that is to be detected."
    )
    max_shift: Share = Field(
        0.3, description="Largest mean total variation distance between the probabilities."
    )
    margin: Share = Field(
        0.02, description="Largest loss of accuracy that is given up for the sake of a decision."
    )
    alpha: Share = Field(
        0.05, gt=0, description="Probability of refusing an equal challenger, or of promoting a worse one."
    )
    stop_alpha: Share = Field(0.001, gt=0, description="Probability of each other stop without a cause.")

    @model_validator(mode="after")
    def _bad_is_above_expected(self) -> RolloutSettings:
        for name in ("failures", "slow", "disagreements"):
            if not getattr(self, f"expected_{name}") < getattr(self, f"bad_{name}") < 1:
                raise ValueError(f"bad_{name} must lie between expected_{name} and 1")
        percents = self.canary_percents
        if (
            not percents
            or list(percents) != sorted(set(percents))
            or not 0 < percents[0] <= percents[-1] < 100
        ):
            raise ValueError("canary_percents must rise, from 1 to 99")
        return self
