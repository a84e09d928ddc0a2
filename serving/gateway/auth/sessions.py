"""Console sessions: a signed cookie, so that any replica knows the user; only ended sessions are kept."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Container
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from serving.gateway.auth.principal import Principal
from serving.gateway.auth.private_file import read_or_make

_SECRET_FILE = "session.key"


@dataclass(frozen=True)
class Session:
    """A signed-in browser.

    Attributes:
        id: Random; what a sign-out ends.
        principal: The user.
        csrf_token: What every form of the console must send back.
    """

    id: str
    principal: Principal
    csrf_token: str


class Sessions:
    """Writes and reads session cookies.

    Args:
        secret: Signs the cookies; the same for all replicas.
        hours: Lifetime of a session.
        secure: Whether browsers reach the gateway by https; the cookie is then bound to it.
        ended: Ids of sessions that were ended before their time.
    """

    def __init__(
        self, secret: bytes, hours: float, *, secure: bool, ended: Container[str] = frozenset()
    ) -> None:
        self._ended = ended
        self._secret, self._seconds, self._secure = secret, int(hours * 3600), secure
        self._serializer = URLSafeTimedSerializer(
            secret, salt="session", signer_kwargs={"digest_method": sha256}
        )
        self._cookie = "__Host-phytoflow" if secure else "phytoflow"

    def start(self, response: Response, principal: Principal) -> None:
        """Signs the browser in."""
        fields = [principal.user_id, principal.name, sorted(principal.scopes), secrets.token_hex(8)]
        self.set(response, self._cookie, self._serializer.dumps(fields), self._seconds)

    def end(self, response: Response) -> None:
        """Takes the browser its cookie; ``EndedSessions.add`` ends copies of it."""
        response.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="lax")

    def read(self, request: Request) -> Session | None:
        """The session of a request; None without a valid one."""
        cookie = request.cookies.get(self._cookie, "")
        try:
            user_id, name, scopes, session_id = self._serializer.loads(cookie, max_age=self._seconds)
        except (BadSignature, ValueError, TypeError):
            return None
        if session_id in self._ended:
            return None
        token = hmac.new(self._secret, f"csrf {user_id} {session_id}".encode(), sha256).hexdigest()
        return Session(session_id, Principal(user_id, name, frozenset(scopes), "session"), token)

    def set(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Sets a cookie that scripts cannot read and other sites do not send along with posts."""
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def seal(self, fields: dict[str, Any]) -> str:
        """Signs fields that a browser keeps during sign-in."""
        return URLSafeTimedSerializer(self._secret, salt="sign-in").dumps(fields)

    def unseal(self, text: str, seconds: int = 600) -> dict[str, Any] | None:
        """The fields, or None if they are forged or old."""
        try:
            fields = URLSafeTimedSerializer(self._secret, salt="sign-in").loads(text, max_age=seconds)
        except BadSignature:
            return None
        return fields if isinstance(fields, dict) else None


def read_secret(directory: Path) -> bytes:
    """The secret of this directory; made on first use, readable for its owner only."""
    text = read_or_make(directory / _SECRET_FILE, lambda: json.dumps(secrets.token_hex(32)))
    return bytes.fromhex(json.loads(text))
