"""Authentication of a request: a bearer token, an API key, or the console's session."""

from __future__ import annotations

from hmac import compare_digest

from fastapi import Request

from serving.gateway.auth.keys import PREFIX, ApiKeys
from serving.gateway.auth.principal import Principal
from serving.gateway.auth.sessions import Sessions
from serving.gateway.auth.tokens import TokenVerifier
from serving.gateway.problems import ProblemError

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator:
    """Finds out who asks."""

    def __init__(self, tokens: TokenVerifier, keys: ApiKeys, sessions: Sessions) -> None:
        self.tokens, self.keys, self.sessions = tokens, keys, sessions

    async def authenticate(self, request: Request) -> Principal:
        """The caller.

        A session is accepted by the API, too, so that the console's own pages can use it; whatever changes
        something needs the session's CSRF token as a header then.

        Raises:
            ProblemError: 401 without valid credentials; 403 for a session without CSRF token.
        """
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if key := request.headers.get("x-api-key"):
            return await self.keys.verify(key)
        if scheme.lower() == "bearer" and credentials:
            credentials = credentials.strip()
            verify = self.keys.verify if credentials.startswith(PREFIX) else self.tokens.verify
            return await verify(credentials)
        session = self.sessions.read(request)
        if session is None:
            raise ProblemError(
                401,
                "not_authenticated",
                "this needs a token or an API key",
                remedy="send `Authorization: Bearer TOKEN`; `phytoflow gateway token` prints one",
                headers={"WWW-Authenticate": "Bearer"},
            )
        given = request.headers.get(CSRF_HEADER, "").encode()
        if request.method not in _SAFE_METHODS and not compare_digest(given, session.csrf_token.encode()):
            raise ProblemError(403, "csrf", f"a session needs its {CSRF_HEADER} header")
        return session.principal
