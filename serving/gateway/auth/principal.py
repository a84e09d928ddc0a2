"""Who asks, and what they may do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from serving.gateway.log.text import printable
from serving.gateway.problems import ProblemError

Scope = Literal["predict", "feedback", "review", "admin", "log"]
SCOPES: tuple[str, ...] = get_args(Scope)
_MAX_NAME = 200


@dataclass(frozen=True)
class Principal:
    """An authenticated caller.

    Attributes:
        user_id: Stable id derived from issuer and subject.
        name: Name to show; never used to decide anything.
        scopes: What the caller may do.
        method: How the caller was authenticated: ``token``, ``key`` or ``session``.
    """

    user_id: str
    name: str
    scopes: frozenset[str]
    method: Literal["token", "key", "session"]

    def require(self, scope: Scope) -> None:
        """Raises ProblemError 403 unless the scope was granted; `admin` includes every other."""
        if scope not in self.scopes and "admin" not in self.scopes:
            raise ProblemError(
                403,
                "scope_missing",
                f"this needs the scope {scope!r}; granted are {', '.join(sorted(self.scopes)) or 'none'}",
                remedy="ask for a token or API key with that scope",
            )


def user_id_of(issuer: str, subject: str) -> str:
    """Id of a user, 32 hexadecimal characters: equal subjects of two issuers are two users."""
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]


def name_of(claims: Mapping[str, Any]) -> str:
    """The name to show of a token's subject, at most 200 characters."""
    name = claims.get("name") or claims.get("email") or claims["sub"]
    return printable(str(name), _MAX_NAME)


def read_scopes(value: object) -> frozenset[str]:
    """The known scopes in a claim, which is a text with spaces or a list."""
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(word for word in words if isinstance(word, str)) & frozenset(SCOPES)


def invalid_token(why: str) -> ProblemError:
    """A refused token."""
    return ProblemError(
        401,
        "invalid_token",
        f"the token is not accepted: {why}",
        remedy="sign in again, or ask for a new token",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
