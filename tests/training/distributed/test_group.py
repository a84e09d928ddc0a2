"""The processes of one training: what they tell each other."""

from __future__ import annotations

import time

import pytest

from phytoflow.errors import ConfigError
from phytoflow.training.distributed.group import SOLO, join_group
from phytoflow.training.settings import TrainingSettings
from tests.support.services.training_group import run_group

SETTINGS = TrainingSettings(device="cpu", group_timeout_minutes=0.02)  # collective operations: 1.2 s


def talk(settings: TrainingSettings) -> dict[str, object]:
    """What one process hears."""
    group = join_group(settings)

    def compute() -> int:
        time.sleep(1.5)  # longer than a collective operation may take
        return 10 + group.rank

    value = group.on_first(compute)
    started = time.monotonic()
    if group.rank == 1:
        time.sleep(1.5)
    group.meet()
    met = time.monotonic() - started
    return {"rank": group.rank, "first": value, "all": group.gather(group.rank * 2), "met": met}


def refuse(settings: TrainingSettings) -> str:
    """The words in which a process refuses to join."""
    with pytest.raises(ConfigError) as refused:
        join_group(settings)
    return str(refused.value)


def test_processes_hear_of_the_first_one_and_of_each_other() -> None:
    heard = run_group(talk, 2, SETTINGS)
    assert [process["rank"] for process in heard] == [0, 1]
    assert [process["first"] for process in heard] == [10, 10]
    assert [process["all"] for process in heard] == [[0, 2], [0, 2]]
    assert all(float(process["met"]) > 1.2 for process in heard)


def test_one_process_is_a_group_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert join_group(TrainingSettings(devices=2)) is SOLO
    assert SOLO.on_first(lambda: 3) == 3 and SOLO.gather("a") == ["a"]
    SOLO.meet()


def test_another_number_of_processes_than_the_settings_ask_for_is_refused() -> None:
    words = run_group(refuse, 2, TrainingSettings(devices=4))
    assert all("started 2 processes" in text and "training.devices=4" in text for text in words)
