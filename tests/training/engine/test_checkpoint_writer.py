"""Writes that go on while training does."""

import threading
from collections.abc import Callable

import pytest

from phytoflow.errors import StorageError
from phytoflow.training.engine.checkpoint_writer import CheckpointWriter


class HeldWrite:
    """A write that ends when it is released."""

    def __init__(self) -> None:
        self.started, self.release = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.started.set()
        assert self.release.wait(60)


def note(log: list[str], text: str) -> Callable[[], None]:
    return lambda: log.append(text)


def test_an_epoch_is_reported_once_it_is_stored_and_not_before() -> None:
    log: list[str] = []
    write = HeldWrite()
    with CheckpointWriter() as writer:
        writer.submit(write, note(log, "stored"))
        assert write.started.wait(60)  # the caller goes on while it is written
        writer.poll()
        assert log == []
        write.release.set()
        writer.wait()
        assert log == ["stored"]
    assert log == ["stored"]


def test_reports_come_on_the_callers_thread_also_by_polling() -> None:
    threads: list[threading.Thread] = []
    written = threading.Event()
    with CheckpointWriter() as writer:
        writer.submit(written.set, lambda: threads.append(threading.current_thread()))
        assert written.wait(60)
        while not threads:
            writer.poll()
    assert threads == [threading.current_thread()]


def test_a_second_write_waits_for_the_first() -> None:
    log: list[str] = []
    first = HeldWrite()
    with CheckpointWriter() as writer:
        writer.submit(first, note(log, "first reported"))
        assert first.started.wait(60)
        threading.Timer(0.05, first.release.set).start()
        writer.submit(note(log, "second written"), note(log, "second reported"))
        assert log[0] == "first reported"
    assert log == ["first reported", "second written", "second reported"]


def fail() -> None:
    raise StorageError("no space left")


def test_an_error_of_a_write_surfaces_and_the_epoch_is_not_reported() -> None:
    log: list[str] = []
    with CheckpointWriter() as writer:
        writer.submit(fail, note(log, "reported"))
        with pytest.raises(StorageError, match="no space left"):
            writer.wait()
    with pytest.raises(StorageError), CheckpointWriter() as writer:
        writer.submit(fail, note(log, "reported"))
    with pytest.raises(StorageError), CheckpointWriter() as writer:
        writer.submit(fail, note(log, "reported"))
        writer.submit(note(log, "written"), note(log, "reported"))
    assert log == []


def test_an_interrupted_training_still_finishes_its_write() -> None:
    log: list[str] = []
    with pytest.raises(KeyboardInterrupt), CheckpointWriter() as writer:
        writer.submit(note(log, "written"), note(log, "reported"))
        raise KeyboardInterrupt
    assert log == ["written"]
