"""Session cookies: who may read, forge and keep them."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from fastapi import Request, Response

from serving.gateway.auth.principal import Principal
from serving.gateway.auth.sessions import Sessions

ANNA = Principal("a" * 32, "Anna Ähre", frozenset({"predict", "review"}), "session")


def request(cookies: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookies.encode())]})


def cookie_of(sessions: Sessions, principal: Principal = ANNA) -> str:
    response = Response()
    sessions.start(response, principal)
    return response.headers["set-cookie"]


def test_a_session_is_its_user_on_every_replica() -> None:
    here, there = (Sessions(b"s" * 32, 1, secure=False) for _ in range(2))
    (pair,) = cookie_of(here).split(";")[:1]
    read = there.read(request(pair))
    assert read and read.principal == ANNA and len(read.csrf_token) == 64
    assert Sessions(b"t" * 32, 1, secure=False).read(request(pair)) is None


def test_two_sessions_of_one_user_have_tokens_of_their_own() -> None:
    sessions = Sessions(b"s" * 32, 1, secure=False)
    tokens = {sessions.read(request(cookie_of(sessions).split(";")[0])).csrf_token for _ in range(2)}  # type: ignore[union-attr]
    assert len(tokens) == 2


@pytest.mark.parametrize("secure", [True, False])
def test_attributes_of_the_cookie(secure: bool) -> None:
    morsel = next(iter(SimpleCookie(cookie_of(Sessions(b"s" * 32, 2, secure=secure))).values()))
    assert morsel.key == ("__Host-phytoflow" if secure else "phytoflow")
    assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["max-age"]) == (
        True,
        "lax",
        "/",
        "7200",
    )
    assert bool(morsel["secure"]) == secure and not morsel["domain"]


def test_a_session_ends_by_itself() -> None:
    sessions = Sessions(b"s" * 32, 1, secure=False)
    pair = cookie_of(sessions).split(";")[0]
    sessions._seconds = -1
    assert sessions.read(request(pair)) is None


def test_a_session_that_was_ended_is_nobodys() -> None:
    sessions = Sessions(b"s" * 32, 1, secure=False)
    first, second = (cookie_of(sessions).split(";")[0] for _ in range(2))
    ended = {sessions.read(request(first)).id}  # type: ignore[union-attr]
    again = Sessions(b"s" * 32, 1, secure=False, ended=ended)
    assert again.read(request(first)) is None and again.read(request(second))


def test_what_was_sealed_for_a_sign_in_is_no_session_and_the_reverse() -> None:
    sessions = Sessions(b"s" * 32, 1, secure=False)
    sealed = sessions.seal({"state": "x"})
    assert sessions.unseal(sealed) == {"state": "x"}
    assert sessions.unseal(sealed + "x") is None and sessions.unseal(sealed, seconds=-1) is None
    assert sessions.read(request(f"phytoflow={sealed}")) is None
    assert sessions.unseal(cookie_of(sessions).split(";")[0].partition("=")[2]) is None
