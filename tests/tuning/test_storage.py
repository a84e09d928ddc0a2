"""Storages that several workers open; PostgreSQL is in tests/slow/search/test_workers.py."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from optuna.storages import JournalStorage, RDBStorage

from phytoflow.errors import ConfigError
from phytoflow.tuning.storage import _with_driver, open_one_at_a_time, open_storage


def test_the_address_says_what_kind_of_storage_it_is(tmp_path: Path) -> None:
    assert isinstance(open_storage(f"journal://{tmp_path / 'study.log'}"), JournalStorage)
    assert isinstance(open_storage(f"sqlite:///{tmp_path / 'study.db'}"), RDBStorage)


def test_a_second_worker_waits_until_the_first_has_created_the_study(tmp_path: Path) -> None:
    address, order = f"journal://{tmp_path / 'study.log'}", list[str]()

    def second() -> None:
        with open_one_at_a_time(address):
            order.append("second")

    with open_one_at_a_time(address):
        worker = threading.Thread(target=second)
        worker.start()
        worker.join(0.3)
        order.append("first")
    worker.join(10)
    assert order == ["first", "second"]


def test_what_a_worker_raises_while_it_creates_the_study_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), open_one_at_a_time(f"journal://{tmp_path / 'study.log'}"):
        raise ValueError("mine")


def test_a_plain_address_of_postgresql_is_for_the_driver_that_is_installed() -> None:
    assert _with_driver("postgresql://me@host/db") == "postgresql+pg8000://me@host/db"
    assert _with_driver("postgresql+psycopg2://me@host/db") == "postgresql+psycopg2://me@host/db"


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    address = "postgresql://me:secret@127.0.0.1:9/db"
    with (
        pytest.raises(ConfigError, match=r"postgresql://127\.0\.0\.1:9/db") as away,
        open_one_at_a_time(address),
    ):
        pass
    assert "secret" not in away.value.message
