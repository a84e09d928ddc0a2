"""A secret is made once, by the first process that needs it, and nobody else can read it."""

from __future__ import annotations

import multiprocessing
import secrets
from pathlib import Path

import pytest

from serving.gateway.auth.local_issuer import LocalIssuer
from serving.gateway.auth.private_file import read_or_make
from serving.gateway.auth.sessions import read_secret


def test_it_is_made_once_and_readable_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "gateway" / "secret"
    assert read_or_make(path, lambda: "one") == "one" == read_or_make(path, lambda: "two")
    assert path.stat().st_mode & 0o077 == 0


def _open(folder: Path, start: object, out: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    out.put((read_secret(folder).hex(), LocalIssuer.open(folder).issuer))  # type: ignore[attr-defined]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    """A gateway and its worker are started at once on an empty folder; tokens of one fit the other."""
    context = multiprocessing.get_context("fork")
    start, out = context.Event(), context.Queue()
    processes = [context.Process(target=_open, args=(tmp_path, start, out)) for _ in range(8)]
    for process in processes:
        process.start()
    start.set()
    got = {out.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(30)
    assert len(got) == 1 and LocalIssuer.open(tmp_path).issuer in got.pop()


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> str:
        raise ValueError("no entropy")

    with pytest.raises(ValueError, match="no entropy"):
        read_or_make(tmp_path / "secret", fail)
    assert list(tmp_path.iterdir()) == []
    assert read_or_make(tmp_path / "secret", lambda: secrets.token_hex(4))
