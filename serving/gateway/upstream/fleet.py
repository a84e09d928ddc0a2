"""The predictors by role: champion, challenger, and who of the users is answered by which."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Literal

from phytoflow.rollout.settings import RolloutSettings
from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.predictor import Predictor

Role = Literal["champion", "challenger"]
_BUCKETS = 10_000


@dataclass(frozen=True)
class Split:
    """How traffic is split while a rollout lasts.

    Attributes:
        rollout_id: The rollout.
        percent: Share of users that the challenger answers.
        settings: Thresholds of the rollout.
    """

    rollout_id: str
    percent: int
    settings: RolloutSettings


class Fleet:
    """Champion and challenger.

    Args:
        settings: Their URLs and limits.
        features: Whether to ask for the features of each photo.
    """

    def __init__(self, settings: UpstreamSettings, *, features: bool = True) -> None:
        self._make = partial(Predictor, settings=settings, features=features)
        self.champion = self._make(settings.champion)
        self.challenger = self._make(settings.challenger) if settings.challenger else None
        self.split: Split | None = None
        self._grace = settings.timeout_seconds
        self._retiring: dict[asyncio.Task[None], Predictor] = {}

    async def open(self) -> None:
        """Opens the connection pools."""
        for predictor in self.all():
            await predictor.open()

    async def close(self) -> None:
        """Closes all connections."""
        retired = list(self._retiring.values())
        for task in self._retiring:
            task.cancel()
        for predictor in [*self.all(), *retired]:
            await predictor.close()

    def all(self) -> list[Predictor]:
        """Every predictor, the champion first."""
        return [self.champion, *([self.challenger] if self.challenger else [])]

    def choose(self, user_id: str) -> tuple[Predictor, Role]:
        """The predictor that answers a user; the same one while the share of users does not shrink."""
        split = self.split
        if split and self.challenger and bucket(user_id, split.rollout_id) < split.percent * _BUCKETS // 100:
            return self.challenger, "challenger"
        return self.champion, "champion"

    def other(self, role: Role) -> Predictor | None:
        """The model to compare an answer with; None while nothing is compared."""
        if self.split is None:
            return None
        return self.challenger if role == "champion" else self.champion

    async def point(self, champion: str, challenger: str, split: Split | None) -> None:
        """Follows a rollout: other URLs, another split.

        Connections to the same URL stay. A predictor that is left out answers its requests in progress.
        """
        known = {predictor.url: predictor for predictor in self.all()}
        self.champion = await self._predictor(champion, known)
        self.challenger = await self._predictor(challenger, known) if challenger else None
        self.split = split
        for predictor in known.values():
            if predictor not in self.all():
                task = asyncio.create_task(self._retire(predictor))
                self._retiring[task] = predictor
                task.add_done_callback(self._retiring.pop)

    async def version_at(self, url: str) -> str:
        """The version that a predictor has now; raises ProblemError if it is away."""
        predictor = self._make(url)
        await predictor.open()
        try:
            return (await predictor.info()).version
        finally:
            await predictor.close()

    def halt(self) -> None:
        """Sends nothing more to the challenger of a rollout."""
        self.split = None

    async def _retire(self, predictor: Predictor) -> None:
        """Closes a predictor once no request to it can be in progress any more."""
        await asyncio.sleep(self._grace)
        await predictor.close()

    async def _predictor(self, url: str, known: dict[str, Predictor]) -> Predictor:
        if (predictor := known.get(url.rstrip("/"))) is None:
            predictor = self._make(url)
            await predictor.open()
        return predictor


def bucket(user_id: str, rollout_id: str) -> int:
    """A user's place in a rollout, 0 to 9,999: stable for the user, and another one in the next rollout."""
    digest = hashlib.sha256(f"{rollout_id}\0{user_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % _BUCKETS
