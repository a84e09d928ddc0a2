"""The local issuer's key stays in its folder."""

from pathlib import Path

import jwt
import pytest

from phytoflow.errors import StorageError
from serving.gateway.auth.local_issuer import LocalIssuer


def test_the_key_is_readable_for_its_owner_only(tmp_path: Path) -> None:
    first = LocalIssuer.open(tmp_path / "gateway")
    (file,) = (tmp_path / "gateway").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    again = LocalIssuer.open(tmp_path / "gateway")
    assert (again.issuer, again.key_id) == (first.issuer, first.key_id)
    assert LocalIssuer.open(tmp_path / "other").issuer != first.issuer


def test_a_one_time_code_is_no_token_and_a_token_is_no_code(tmp_path: Path) -> None:
    issuer = LocalIssuer.open(tmp_path)
    assert issuer.read_one_time_code(issuer.one_time_code("anna", ["predict"]))["sub"] == "anna"
    with pytest.raises(jwt.InvalidTokenError):
        issuer.read_one_time_code(issuer.token("anna", ["predict"]))
    with pytest.raises(jwt.ExpiredSignatureError):
        issuer.read_one_time_code(issuer.one_time_code("anna", [], seconds=-1))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "issuer.json").write_text("{}")
    with pytest.raises(StorageError, match=r"issuer\.json"):
        LocalIssuer.open(tmp_path)
