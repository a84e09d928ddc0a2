"""Folder and secrets of a stack."""

from __future__ import annotations

from pathlib import Path

from phytoflow.stack.layout import Layout


def test_a_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    first = Layout(tmp_path).secret("redis")
    assert len(first) >= 32
    assert Layout(tmp_path).secret("redis") == first
    assert Layout(tmp_path).secret("postgresql") != first
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "secrets").iterdir()] == ["0o600"] * 2
    assert oct((tmp_path / "secrets").stat().st_mode & 0o077) == "0o0"


def test_a_file_with_a_secret_stays_private_when_it_is_written_again(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for text in ("a", "b"):
        path = layout.write_private("gateway.yaml", text)
        assert path.read_text() == text and path.stat().st_mode & 0o077 == 0
