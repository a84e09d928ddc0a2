"""Generated passwords as files."""

from __future__ import annotations

from pathlib import Path

from phytoflow.stack.secret_files import protect, write_passwords


def test_urls_carry_the_passwords_and_a_second_call_changes_nothing(tmp_path: Path) -> None:
    write_passwords(tmp_path)
    first = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert first["database-url"] == (
        f"postgresql+asyncpg://gateway:{first['database-password']}@postgresql:5432/gateway"
    )
    assert first["redis-url"] == f"redis://:{first['redis-password']}@redis:6379/0"
    assert len(first["database-password"]) >= 32 and first["database-password"] != first["redis-password"]
    write_passwords(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == first


def test_a_url_of_ones_own_stays(tmp_path: Path) -> None:
    (tmp_path / "database-url").write_text("postgresql+asyncpg://me@db.example.org/leaves")
    write_passwords(tmp_path)
    assert (tmp_path / "database-url").read_text().endswith("@db.example.org/leaves")


def test_two_folders_have_different_passwords(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_passwords(tmp_path / name)
    first, second = ((tmp_path / name / "redis-password").read_text() for name in ("a", "b"))
    assert first != second


def test_other_users_of_the_machine_do_not_reach_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write_passwords(folder)
    protect(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}
