"""The predictors by role: the one place where traffic weights and shadow copies will stand."""

from __future__ import annotations

from typing import Literal

from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.predictor import Predictor

Role = Literal["champion", "challenger"]


class Fleet:
    """Champion and challenger.

    Args:
        settings: Their URLs and limits.
        features: Whether to ask for the features of each photo.
    """

    def __init__(self, settings: UpstreamSettings, *, features: bool = True) -> None:
        self.champion = Predictor(settings.champion, settings, features=features)
        self.challenger = (
            Predictor(settings.challenger, settings, features=features) if settings.challenger else None
        )

    async def open(self) -> None:
        """Opens the connection pools."""
        for predictor in self.all():
            await predictor.open()

    async def close(self) -> None:
        """Closes all connections."""
        for predictor in self.all():
            await predictor.close()

    def all(self) -> list[Predictor]:
        """Every predictor, the champion first."""
        return [self.champion, *([self.challenger] if self.challenger else [])]

    def choose(self, user_id: str) -> tuple[Predictor, Role]:
        """The predictor that answers a user."""
        return self.champion, "champion"
