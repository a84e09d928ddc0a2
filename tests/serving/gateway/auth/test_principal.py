"""Who a caller is and may."""

from __future__ import annotations

import pytest

from serving.gateway.auth.principal import Principal, name_of, read_scopes, user_id_of
from serving.gateway.problems import ProblemError


def test_equal_subjects_of_two_issuers_are_two_users() -> None:
    assert user_id_of("https://a", "anna") != user_id_of("https://b", "anna")
    assert user_id_of("https://a", "b") != user_id_of("https://ab", "")
    assert len(user_id_of("x", "y")) == 32


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        ("predict review", {"predict", "review"}),
        (["predict", "admin", 7, "root"], {"predict", "admin"}),
        ("root openid", set()),
        (None, set()),
        ({"predict": True}, set()),
    ],
)
def test_only_known_scopes_are_read(claim: object, scopes: set[str]) -> None:
    assert read_scopes(claim) == scopes


def test_an_administrator_may_everything_and_others_what_was_granted() -> None:
    Principal("u", "n", frozenset({"admin"}), "token").require("review")
    with pytest.raises(ProblemError, match="granted are predict") as refused:
        Principal("u", "n", frozenset({"predict"}), "token").require("review")
    assert refused.value.status == 403


def test_names_are_short_and_printable() -> None:
    assert name_of({"name": "A\x00n\u202ena\n", "sub": "s"}) == "Anna"
    assert len(name_of({"sub": "s" * 1000})) == 200
    assert name_of({"email": "a@b.example", "sub": "s"}) == "a@b.example"
