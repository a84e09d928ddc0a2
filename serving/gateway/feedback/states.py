"""From what people say of a prediction to the class that it counts as: pure functions, no database."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["right", "label", "cannot_tell"]
Role = Literal["user", "reviewer", "blind"]
ReviewState = Literal["none", "pending", "agreed", "accepted", "rejected"]
AGREEING = 2  # users who must say the same
BLIND_SHARE = 0.01  # of accepted photos are asked again without showing the answer


@dataclass(frozen=True)
class Statement:
    """What one person said of one photo.

    Attributes:
        user_id: Who.
        label: The class they see; None if they cannot tell.
        role: In which role.
    """

    user_id: str
    label: str | None
    role: Role


@dataclass(frozen=True)
class Outcome:
    """Where the statements lead.

    Attributes:
        state: ``none``, ``pending`` or ``agreed``; a reviewer's decision comes after that.
        label: The class agreed on, or the most frequent one; None if nobody named one.
        disputed: Whether two people named different classes.
    """

    state: ReviewState
    label: str | None
    disputed: bool


def weigh(statements: Sequence[Statement]) -> Outcome:
    """Two users, or a user and a reviewer, who name the same class agree; nobody agrees with oneself."""
    named = [s for s in statements if s.label is not None and s.role != "blind"]
    if not named:
        return Outcome("pending" if statements else "none", None, disputed=False)
    voices = {(s.user_id, s.label) for s in named}
    votes = Counter(label for _, label in voices)
    label, count = max(votes.items(), key=lambda item: (item[1], item[0]))
    disputed = len(votes) > 1
    reviewed = any(s.role == "reviewer" and s.label == label for s in named)
    agreed = not disputed and (count >= AGREEING or reviewed)
    return Outcome("agreed" if agreed else "pending", label, disputed)


def asks_again(photo_sha256: str, share: float = BLIND_SHARE) -> bool:
    """Whether an accepted photo is asked again blind; decided by its hash, so that nobody can choose."""
    number = int.from_bytes(hashlib.sha256(f"blind {photo_sha256}".encode()).digest()[:8])
    return number < share * 2**64
